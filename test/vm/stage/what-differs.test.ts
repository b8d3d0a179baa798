import { describe, expect, test } from 'vitest';
import { whatDiffers } from '../../../src/vm/stage/what-differs.ts';
import { textScenario } from '../../support/text-scenario.ts';

const RELEASE = '6.1.0-50-686';
const differs = (steps: readonly string[], header: readonly string[] = []) =>
  whatDiffers(textScenario({ steps, header }), RELEASE);

test('what is put in the place of something else, and what is left out, is said', () => {
  const { notes, refusals } = differs(
    ['+0ms host offer nic1', '+0ms flow stream on nic1 every 10ms'],
    ['user: [udev, manager]', 'latency: { host.reply: 1ms }', 'needs: [vpci]'],
  );
  expect(refusals).toEqual([]);
  expect(notes.slice(0, -1)).toEqual([
    'the guest is the kernel 6.1.0-50-686, in the place of linux-6.12',
    'VFs come by ACPI hot-plug, not by vPCI, as emulated NE2000 cards (ne2k-pci) for mlx5',
    'rows of the latency table count for the host only: host.reply',
    'no udev',
    'manager is a shell script with busybox udhcpc, which leaves slaves alone',
    'nobody in the guest takes the frames of a stream: left out: stream-nic1',
    'needs vpci (VFs that come and go on their own PCI channel), which is not here',
  ]);
});

describe('what cannot be is refused with its line', () => {
  test.each([
    ['+0ms guest fail ndo_open of nic1.vf with EBUSY', "a call inside of a real guest's kernel cannot be made to fail"],
    ['+0ms host fall silent to nic1.vf', 'there is no vPCI channel here'],
    ['+0ms host answers nic1.vf again', 'there is no vPCI channel here'],
    ['+0ms guest mac nic1 to 00:0d:3a:12:34:99', 'nobody is told of addresses here'],
  ])('%s', (step, why) => {
    expect(differs(['+0ms host offer nic1', step]).refusals).toEqual([
      { line: 7, message: `"${step.slice('+0ms '.length)}": ${why}` },
    ]);
  });

  test('cloud-init', () => {
    const { refusals } = differs(['+0ms expect cloud-init 23.2 to ok'], ['user: [udev, cloud-init-23.2]']);
    expect(refusals).toEqual([
      expect.objectContaining({ message: expect.stringContaining('there is no cloud-init here') }),
    ]);
  });

  test('another guest than Linux', () => {
    expect(differs(['+0ms host offer nic1'], ['guest: freebsd-14']).refusals[0]?.message).toContain('is no Linux');
  });

  test('what nobody counts', () => {
    const { refusals } = differs([
      '+0ms flow stream on nic1 every 10ms',
      '+0ms expect flow stream-nic1 lost at most 3',
    ]);
    expect(refusals).toEqual([
      expect.objectContaining({ message: expect.stringContaining('the frames of a stream are not counted here') }),
    ]);
  });

  test('fixes of a kernel that is built', () => {
    const { refusals } = differs(['+0ms host offer nic1'], ['fixes: { vf-gate: off }']);
    expect(refusals).toEqual([{ line: undefined, message: 'fixes: vf-gate cannot be switched off in a built kernel' }]);
  });

  test('faults of the synthetic NIC, whose channel there is, are not', () => {
    expect(differs(['+0ms host drop sendVfAssociation of nic1']).refusals).toEqual([]);
  });
});

test('of those that the model judges on Linux most are judged', () => {
  const { judged } = differs(['+0ms host offer nic1']);
  expect(judged).toEqual(
    expect.arrayContaining(['synthetic-first', 'joined-eventually', 'pairing', 'slave-means-master', 'stable-name']),
  );
  expect(judged.length).toBeGreaterThan(25);
});

test('an invariant is judged when all that it looks at can be seen', () => {
  const always = ['flagged-before-visible', 'rtnl-held-briefly', 'path-agrees', 'eject-complete-once', 'no-panic'];
  const { judged, notes } = differs(['+0ms host offer nic1'], [`always: [${always.join(', ')}]`]);
  expect(judged).toEqual(['flagged-before-visible', 'path-agrees', 'no-panic']);
  expect(notes.at(-1)).toBe('cannot be observed, hence not judged: rtnl-held-briefly, eject-complete-once');
});
