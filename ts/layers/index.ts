import type { Newless } from '../core/callable.ts'
import { layer } from './configured.ts'
import { Activation as ActivationLayer } from './activation.ts'
import { Add as AddLayer } from './add.ts'
import { Average as AverageLayer } from './average.ts'
import { AveragePooling2D as AveragePooling2DLayer } from './average-pooling2d.ts'
import { BatchNormalization as BatchNormalizationLayer } from './batch-normalization.ts'
import { Concatenate as ConcatenateLayer } from './concatenate.ts'
import { Conv2D as Conv2DLayer } from './conv2d.ts'
import { Conv2DTranspose as Conv2DTransposeLayer } from './conv2d-transpose.ts'
import { Dense as DenseLayer } from './dense.ts'
import { DepthwiseConv2D as DepthwiseConv2DLayer } from './depthwise-conv2d.ts'
import { Dot as DotLayer } from './dot.ts'
import { Dropout as DropoutLayer } from './dropout.ts'
import { ELU as ELULayer } from './elu.ts'
import { Embedding as EmbeddingLayer } from './embedding.ts'
import { Flatten as FlattenLayer } from './flatten.ts'
import { GaussianNoise as GaussianNoiseLayer } from './gaussian-noise.ts'
import { GlobalAveragePooling1D as GlobalAveragePooling1DLayer } from './global-average-pooling1d.ts'
import { GlobalAveragePooling2D as GlobalAveragePooling2DLayer } from './global-average-pooling2d.ts'
import { GlobalMaxPooling1D as GlobalMaxPooling1DLayer } from './global-max-pooling1d.ts'
import { GlobalMaxPooling2D as GlobalMaxPooling2DLayer } from './global-max-pooling2d.ts'
import { Identity as IdentityLayer } from './identity.ts'
import { InputLayer as InputLayerLayer } from './input-layer.ts'
import { LayerNormalization as LayerNormalizationLayer } from './layer-normalization.ts'
import { LeakyReLU as LeakyReLULayer } from './leaky-re-lu.ts'
import { LSTM as LSTMLayer } from './lstm.ts'
import { Masking as MaskingLayer } from './masking.ts'
import { MaxPooling2D as MaxPooling2DLayer } from './max-pooling2d.ts'
import { Maximum as MaximumLayer } from './maximum.ts'
import { Minimum as MinimumLayer } from './minimum.ts'
import { Multiply as MultiplyLayer } from './multiply.ts'
import { PReLU as PReLULayer } from './p-re-lu.ts'
import { Permute as PermuteLayer } from './permute.ts'
import { ReLU as ReLULayer } from './re-lu.ts'
import { RepeatVector as RepeatVectorLayer } from './repeat-vector.ts'
import { Rescaling as RescalingLayer } from './rescaling.ts'
import { Reshape as ReshapeLayer } from './reshape.ts'
import { SeparableConv2D as SeparableConv2DLayer } from './separable-conv2d.ts'
import { Softmax as SoftmaxLayer } from './softmax.ts'
import { SpatialDropout2D as SpatialDropout2DLayer } from './spatial-dropout2d.ts'
import { Subtract as SubtractLayer } from './subtract.ts'
import { UpSampling2D as UpSampling2DLayer } from './up-sampling2d.ts'
import { ZeroPadding2D as ZeroPadding2DLayer } from './zero-padding2d.ts'

// Each under Keras's name, with or without `new`.
export const Activation: Newless<typeof ActivationLayer> = layer(ActivationLayer)
export const Add: Newless<typeof AddLayer> = layer(AddLayer)
export const Average: Newless<typeof AverageLayer> = layer(AverageLayer)
export const AveragePooling2D: Newless<typeof AveragePooling2DLayer> = layer(AveragePooling2DLayer)
export const BatchNormalization: Newless<typeof BatchNormalizationLayer> = layer(BatchNormalizationLayer)
export const Concatenate: Newless<typeof ConcatenateLayer> = layer(ConcatenateLayer)
export const Conv2DTranspose: Newless<typeof Conv2DTransposeLayer> = layer(Conv2DTransposeLayer)
export const Conv2D: Newless<typeof Conv2DLayer> = layer(Conv2DLayer)
export const Dense: Newless<typeof DenseLayer> = layer(DenseLayer)
export const DepthwiseConv2D: Newless<typeof DepthwiseConv2DLayer> = layer(DepthwiseConv2DLayer)
export const Dot: Newless<typeof DotLayer> = layer(DotLayer)
export const Dropout: Newless<typeof DropoutLayer> = layer(DropoutLayer)
export const ELU: Newless<typeof ELULayer> = layer(ELULayer)
export const Embedding: Newless<typeof EmbeddingLayer> = layer(EmbeddingLayer)
export const Flatten: Newless<typeof FlattenLayer> = layer(FlattenLayer)
export const GaussianNoise: Newless<typeof GaussianNoiseLayer> = layer(GaussianNoiseLayer)
export const GlobalAveragePooling1D: Newless<typeof GlobalAveragePooling1DLayer> = layer(GlobalAveragePooling1DLayer)
export const GlobalAveragePooling2D: Newless<typeof GlobalAveragePooling2DLayer> = layer(GlobalAveragePooling2DLayer)
export const GlobalMaxPooling1D: Newless<typeof GlobalMaxPooling1DLayer> = layer(GlobalMaxPooling1DLayer)
export const GlobalMaxPooling2D: Newless<typeof GlobalMaxPooling2DLayer> = layer(GlobalMaxPooling2DLayer)
export const Identity: Newless<typeof IdentityLayer> = layer(IdentityLayer)
export const InputLayer: Newless<typeof InputLayerLayer> = layer(InputLayerLayer)
export const LSTM: Newless<typeof LSTMLayer> = layer(LSTMLayer)
export const LayerNormalization: Newless<typeof LayerNormalizationLayer> = layer(LayerNormalizationLayer)
export const LeakyReLU: Newless<typeof LeakyReLULayer> = layer(LeakyReLULayer)
export const Masking: Newless<typeof MaskingLayer> = layer(MaskingLayer)
export const MaxPooling2D: Newless<typeof MaxPooling2DLayer> = layer(MaxPooling2DLayer)
export const Maximum: Newless<typeof MaximumLayer> = layer(MaximumLayer)
export const Minimum: Newless<typeof MinimumLayer> = layer(MinimumLayer)
export const Multiply: Newless<typeof MultiplyLayer> = layer(MultiplyLayer)
export const PReLU: Newless<typeof PReLULayer> = layer(PReLULayer)
export const Permute: Newless<typeof PermuteLayer> = layer(PermuteLayer)
export const ReLU: Newless<typeof ReLULayer> = layer(ReLULayer)
export const RepeatVector: Newless<typeof RepeatVectorLayer> = layer(RepeatVectorLayer)
export const Rescaling: Newless<typeof RescalingLayer> = layer(RescalingLayer)
export const Reshape: Newless<typeof ReshapeLayer> = layer(ReshapeLayer)
export const SeparableConv2D: Newless<typeof SeparableConv2DLayer> = layer(SeparableConv2DLayer)
export const Softmax: Newless<typeof SoftmaxLayer> = layer(SoftmaxLayer)
export const SpatialDropout2D: Newless<typeof SpatialDropout2DLayer> = layer(SpatialDropout2DLayer)
export const Subtract: Newless<typeof SubtractLayer> = layer(SubtractLayer)
export const UpSampling2D: Newless<typeof UpSampling2DLayer> = layer(UpSampling2DLayer)
export const ZeroPadding2D: Newless<typeof ZeroPadding2DLayer> = layer(ZeroPadding2DLayer)

export { Input } from './input-layer.ts'
export { Layer } from './layer.ts'
