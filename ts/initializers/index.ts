import { newless, type Newless } from '../core/callable.ts'
import { Constant as ConstantClass } from './constant.ts'
import { GlorotNormal as GlorotNormalClass } from './glorot-normal.ts'
import { GlorotUniform as GlorotUniformClass } from './glorot-uniform.ts'
import { HeNormal as HeNormalClass } from './he-normal.ts'
import { HeUniform as HeUniformClass } from './he-uniform.ts'
import { Identity as IdentityClass } from './identity.ts'
import { LecunNormal as LecunNormalClass } from './lecun-normal.ts'
import { LecunUniform as LecunUniformClass } from './lecun-uniform.ts'
import { Ones as OnesClass } from './ones.ts'
import { Orthogonal as OrthogonalClass } from './orthogonal.ts'
import { RandomNormal as RandomNormalClass } from './random-normal.ts'
import { RandomUniform as RandomUniformClass } from './random-uniform.ts'
import { TruncatedNormal as TruncatedNormalClass } from './truncated-normal.ts'
import { VarianceScaling as VarianceScalingClass } from './variance-scaling.ts'
import { Zeros as ZerosClass } from './zeros.ts'

export const Constant: Newless<typeof ConstantClass> = newless(ConstantClass)
export const GlorotNormal: Newless<typeof GlorotNormalClass> = newless(GlorotNormalClass)
export const GlorotUniform: Newless<typeof GlorotUniformClass> = newless(GlorotUniformClass)
export const HeNormal: Newless<typeof HeNormalClass> = newless(HeNormalClass)
export const HeUniform: Newless<typeof HeUniformClass> = newless(HeUniformClass)
export const Identity: Newless<typeof IdentityClass> = newless(IdentityClass)
export const LecunNormal: Newless<typeof LecunNormalClass> = newless(LecunNormalClass)
export const LecunUniform: Newless<typeof LecunUniformClass> = newless(LecunUniformClass)
export const Ones: Newless<typeof OnesClass> = newless(OnesClass)
export const Orthogonal: Newless<typeof OrthogonalClass> = newless(OrthogonalClass)
export const RandomNormal: Newless<typeof RandomNormalClass> = newless(RandomNormalClass)
export const RandomUniform: Newless<typeof RandomUniformClass> = newless(RandomUniformClass)
export const TruncatedNormal: Newless<typeof TruncatedNormalClass> = newless(TruncatedNormalClass)
export const VarianceScaling: Newless<typeof VarianceScalingClass> = newless(VarianceScalingClass)
export const Zeros: Newless<typeof ZerosClass> = newless(ZerosClass)
export { Initializer } from './base.ts'
export { getInitializer as get, type InitializerInput } from './initializer.ts'
