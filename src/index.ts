/**
 * The library: for driver authors and test writers. Build a machine from a plan or a scenario, run it in an order of
 * your choice, look at what happened. Devices come from the caller: see `Catalogue`.
 */
export { type MacAddress, mac } from './base/mac.ts';
export {
  defineSynthetic,
  defineVf,
  ms,
  type Nanoseconds,
  type SyntheticModel,
  seconds,
  us,
  type VfModel,
} from './device-kit.ts';
export { type DrillOptions, type DrillResult, runFirmwareUpdate } from './drill/firmware-update.ts';
export type { CallFault } from './guest/linux/faults.ts';
export { FIXES, type Fix, PROFILES, type Profile } from './guest/linux/profile.ts';
export type { HostAction, RevokeOrder } from './host/action.ts';
export type { HostFault } from './host/fault-points.ts';
export { type Catalogue, Machine, type MachineOptions } from './machine/machine.ts';
export type { NicPlan, Plan } from './machine/plan.ts';
export { formatTimeline } from './report/timeline.ts';
export { loadScenario } from './scenario/load.ts';
export { ModelStage } from './scenario/model-stage.ts';
export { type Run, type RunOptions, runScenario } from './scenario/run.ts';
export type { Scenario } from './scenario/scenario.ts';
export type { Answer, FlowPlan, GuestVerb, Question, Stage } from './scenario/stage.ts';
export type { Verdict } from './scenario/verdict.ts';
export { type Vocabulary, vocabularyOf } from './scenario/vocabulary.ts';
export { Operation, type Task } from './sim/operation.ts';
export { Simulation } from './sim/simulation.ts';
export type { Step, Strategy } from './sim/strategy.ts';
export type { Event, EventBody, EventKind, EventOf } from './trace/event.ts';
export { keep, Recorder } from './trace/recorder.ts';
