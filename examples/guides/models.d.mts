import type { Layer, Model, Sequential } from 'ferrograph'

export function singleDense(): Model
export function singleDenseSequential(): Sequential
export function mlp(): Model
export function mlpSequential(): Sequential
export function ticketPriority(): Model
export function classAndBox(): Model
export function siamese(): Model
export function siameseCosine(): Model
export function residual(): Model
export function mnistMlp(): Model
export function autoencoder(): { encoder: Model; autoencoder: Model }
export function nestedAutoencoder(): { encoder: Model; decoder: Model; autoencoder: Model }
export function ensemble(): { members: Model[]; ensemble: Model }
export function tickets(): Model
export function toyResnet(): Model
export function sharedEmbedding(): Model
export function customDense(): Model
export function features(model: Model): Model
export function functionalMlp(): Model
export const CustomDense: new (config?: { units?: number; name?: string }) => Layer
export const SubclassedMlp: new (config?: { name?: string }) => Model
