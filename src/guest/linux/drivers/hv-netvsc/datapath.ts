/**
 * Which path carries: the switch that the host confirms, what makes the guest ask for it, and the take-over by which a
 * joined VF follows its master. Source: drivers/net/hyperv/netvsc_drv.c (netvsc_vf_changed(), __netvsc_vf_setup()),
 * netvsc.c (netvsc_switch_datapath()); reference B.6 to B.8.
 */
import type { Mutex } from '../../../../sim/mutex.ts';
import type { Task } from '../../../../sim/operation.ts';
import type { WaitCell } from '../../../../sim/wait-cell.ts';
import { DATA_PATH } from '../../../../wire/nvsp.ts';
import type { Answer, Outgoing, SendResult } from '../../../hv/channel.ts';
import { type Errno, inLog } from '../../../uapi/errno.ts';
import { IFF } from '../../../uapi/linux.ts';
import { changeFlags, openDevice, setMtu } from '../../device.ts';
import { fixed, logAbout } from '../../kernel.ts';
import type { Netdev } from '../../netdev.ts';
import type { NetdevEvent } from '../../notifier.ts';
import type { NetvscNic } from './nic.ts';
import { nvsp } from './nvsp-out.ts';

/** RETRY_MAX: how often a switch message is sent again when the ring is full. */
const SWITCH_RETRIES = 2000;

/** netvsc_vf_changed(): a joined VF came up or goes down. What is so already is not asked for again. */
export function* vfChanged(nic: NetvscNic, vf: Netdev, event: NetdevEvent): Task {
  if (nic.session.now === undefined || vf.master !== nic.netdev) return;
  if (event === 'NETDEV_GOING_DOWN' && !fixed(nic.kernel, 'switch-before-stop')) return; // NETDEV_DOWN was early enough
  const up = event === 'NETDEV_GOING_DOWN' ? false : vf.running.now;
  if (nic.dataPathIsVf.now === up) return;
  // Until 8b31f8c982b7 what was asked for counted as done.
  if (!fixed(nic.kernel, 'switch-awaited')) yield* setGate(nic, up);
  if (up && fixed(nic.kernel, 'mac-fallback') && (yield* nic.vfAlloc.get()) === 0) {
    logAbout(nic.kernel, nic.netdev, 'info', 'Waiting for the VF association from host');
    yield* nic.vfAdd.wait(); // without a limit, and under the RTNL
  }
  const failed = yield* switchDatapath(nic, up);
  const direction = up ? 'to' : 'from';
  if (failed === undefined) logAbout(nic.kernel, nic.netdev, 'info', `Data path switched ${direction} VF: ${vf.name}`);
  else
    logAbout(
      nic.kernel,
      nic.netdev,
      'err',
      `Data path failed to switch ${direction} VF: ${vf.name}, err: ${inLog(failed)}`,
    );
}

/** netvsc_switch_datapath(); until d0922bf79817 nobody looked at what it gave. */
function* switchDatapath(nic: NetvscNic, toVf: boolean): Task<Errno | undefined> {
  const failing = nic.kernel.faults.strike('netvsc_switch_datapath', nic.dev);
  if (failing === undefined) return yield* askForDatapath(nic, toVf);
  return fixed(nic.kernel, 'switch-errors') ? failing : undefined;
}

/** The answer is empty, so a host that refused looks like one that did it. */
function* askForDatapath(nic: NetvscNic, toVf: boolean): Task<Errno | undefined> {
  const { kernel } = nic;
  const awaited = fixed(kernel, 'switch-awaited');
  if (awaited && !toVf) yield* setGate(nic, false); // stop sending to the VF before the host is asked
  const message = nvsp({ name: 'switchDataPath', activeDataPath: toVf ? DATA_PATH.vf : DATA_PATH.synthetic });
  for (let tries = 0; ; tries++) {
    const { result, answer } = yield* send(nic, message, awaited);
    // Until d0922bf79817 nobody looked whether it was sent: an answer was waited for all the same.
    if (result === 'sent' || !fixed(kernel, 'switch-errors')) {
      if (answer === undefined) return undefined;
      yield* answer.wait(); // without a limit
      yield* setGate(nic, toVf);
      return undefined;
    }
    if (result === 'rescinded') {
      logAbout(kernel, nic.netdev, 'err', `Unable to send sw datapath msg, err: ${inLog('ENODEV')}`);
      return 'ENODEV';
    }
    if (tries === SWITCH_RETRIES) {
      logAbout(kernel, nic.netdev, 'err', `Retry failed to send sw datapath msg, err: ${inLog('EAGAIN')}`);
      return 'EAGAIN';
    }
    yield* kernel.sim.sleep(kernel.latency.of('guest.switch-retry'), 'room in the ring for SWITCH_DATA_PATH');
  }
}

/** With a request for a completion since 8b31f8c982b7; before that without one. */
function* send(
  nic: NetvscNic,
  message: Outgoing,
  awaited: boolean,
): Task<{ readonly result: SendResult; readonly answer?: WaitCell<Answer> }> {
  const { channel } = nic.device;
  if (awaited) return yield* channel.request(message, 'SWITCH_DATA_PATH');
  return { result: yield* channel.send(message) };
}

function* setGate(nic: NetvscNic, isVf: boolean): Task {
  if (nic.dataPathIsVf.now === isVf) return;
  yield* nic.dataPathIsVf.set(isVf);
  nic.kernel.sim.trace.emit({ kind: 'guest.datapath', nic: nic.dev, path: isVf ? 'vf' : 'synthetic' });
}

/** The vf_takeover work: the RTNL by trylock, so that whoever cancels it under the RTNL need not fear it. */
export function* takeoverWork(nic: NetvscNic): Task<Mutex | undefined> {
  const { net } = nic.kernel;
  if (!(yield* net.rtnl.tryLock())) return net.rtnl.busy;
  const vf = nic.vf.now;
  if (vf !== undefined) yield* setUpVf(nic, vf);
  yield* net.rtnl.unlock();
  return undefined;
}

/** __netvsc_vf_setup(): MTU, flags (which open or close the VF), address lists; then it is opened for good measure. */
export function* setUpVf(nic: NetvscNic, vf: Netdev): Task {
  const { kernel, netdev } = nic;
  const { net } = kernel;
  const mtuFailed = yield* setMtu(net, vf, netdev.mtu);
  if (mtuFailed !== undefined) logAbout(kernel, vf, 'warn', `unable to change mtu to ${netdev.mtu}`);
  yield* changeFlags(net, vf, netdev.flags.now | IFF.SLAVE);
  if (!netdev.running.now) return;
  const openFailed = yield* openDevice(net, vf);
  if (openFailed !== undefined) logAbout(kernel, vf, 'warn', `unable to open: ${inLog(openFailed)}`);
}
