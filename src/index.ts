/**
 * The library: for driver authors and test writers. Build a machine from a plan or a scenario, run it in an order of
 * your choice or in all of them, look at what happened. Devices come from the caller: see `Catalogue`; drivers of your
 * own from a `DriverFactory`, which stands on what the section of the guest's kernel lists.
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
export { type Drivers, type Explored, explore, type ScenarioOptions } from './explore/drivers.ts';
export type { Exploration, Found } from './explore/explore.ts';
// -- the guest's kernel, for drivers --
export type { Channel } from './guest/hv/channel.ts';
export {
  changeFlags,
  closeDevice,
  openDevice,
  renameDevice,
  setCarrier,
  setFlags,
  setMtu,
} from './guest/linux/device.ts';
export { setUpVf, vfChanged } from './guest/linux/drivers/hv-netvsc/datapath.ts';
export {
  type HvNetvsc,
  hvNetvsc,
  type NetvscChange,
  type NetvscParts,
} from './guest/linux/drivers/hv-netvsc/driver.ts';
export type { NetvscNic, NicList } from './guest/linux/drivers/hv-netvsc/nic.ts';
export { findNic, prepareBonding, registerVf, unregisterVf } from './guest/linux/drivers/hv-netvsc/vf.ts';
export type { CallFault } from './guest/linux/faults.ts';
export { fixed, type LinuxKernel, log, logAbout } from './guest/linux/kernel.ts';
export type { DriverFactory, Module } from './guest/linux/modules.ts';
export { Netdev, type NetdevOps, type ParentDevice, type RxHandler } from './guest/linux/netdev.ts';
export { moveToNamespace } from './guest/linux/netns.ts';
export type { NetdevEvent, NotifierBlock, Verdict as NotifierVerdict } from './guest/linux/notifier.ts';
export { receive } from './guest/linux/packets.ts';
export type { PciDevice, PciDriver } from './guest/linux/pci-core.ts';
export { FIXES, type Fix, PROFILES, type Profile } from './guest/linux/profile.ts';
export { linkToMaster, registerRxHandler, unlinkFromMaster } from './guest/linux/upper.ts';
export type { HvDevice, HvDriver } from './guest/linux/vmbus-core.ts';
export type { Errno } from './guest/uapi/errno.ts';
export { IFF } from './guest/uapi/linux.ts';
// -- the host, the machine, scenarios --
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
// -- contexts, and what they may share --
export { Cell } from './sim/cell.ts';
export { Completion } from './sim/completion.ts';
export { Doorbell } from './sim/doorbell.ts';
export { Mutex } from './sim/mutex.ts';
export { Operation, SharedObject, type Task } from './sim/operation.ts';
export { Place } from './sim/place.ts';
export { Queue } from './sim/queue.ts';
export { Simulation } from './sim/simulation.ts';
export type { Step, Strategy } from './sim/strategy.ts';
export { WaitCell } from './sim/wait-cell.ts';
export { OrderedQueue, Work, type WorkBody } from './sim/work.ts';
// -- what happened --
export type { Event, EventBody, EventKind, EventOf } from './trace/event.ts';
export { keep, Recorder } from './trace/recorder.ts';
