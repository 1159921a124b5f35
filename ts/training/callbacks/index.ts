import { newless, type Newless } from '../../core/callable.ts'
import { CSVLogger as CSVLoggerClass } from './csv-logger.ts'
import { EarlyStopping as EarlyStoppingClass } from './early-stopping.ts'
import { LambdaCallback as LambdaCallbackClass } from './lambda-callback.ts'
import { LearningRateScheduler as LearningRateSchedulerClass } from './learning-rate-scheduler.ts'
import { ProgressBar as ProgressBarClass } from './progress-bar.ts'
import { ReduceLROnPlateau as ReduceLROnPlateauClass } from './reduce-lr-on-plateau.ts'
import { TerminateOnNaN as TerminateOnNaNClass } from './terminate-on-nan.ts'

export const CSVLogger: Newless<typeof CSVLoggerClass> = newless(CSVLoggerClass)
export const EarlyStopping: Newless<typeof EarlyStoppingClass> = newless(EarlyStoppingClass)
export const LambdaCallback: Newless<typeof LambdaCallbackClass> = newless(LambdaCallbackClass)
export const LearningRateScheduler: Newless<typeof LearningRateSchedulerClass> = newless(LearningRateSchedulerClass)
export const ProgressBar: Newless<typeof ProgressBarClass> = newless(ProgressBarClass)
export const ReduceLROnPlateau: Newless<typeof ReduceLROnPlateauClass> = newless(ReduceLROnPlateauClass)
export const TerminateOnNaN: Newless<typeof TerminateOnNaNClass> = newless(TerminateOnNaNClass)
export { Callback, type CallbackHooks, type CallbackModel, type CallbackParams, type Logs } from './callback.ts'
export type { CallbacksInput } from './callback-list.ts'
export { History } from './history.ts'
