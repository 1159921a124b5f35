export * from './functions.ts'
export { hardSilu as hardSwish, silu as swish } from './functions.ts'
export { getActivation as get, registerActivation as register, type Activation, type ActivationInput } from './activation.ts'
