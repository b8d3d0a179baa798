import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { netNames } from '../../src/user/net-names.ts';
import { AZURE_UNMANAGED_SRIOV, matches } from '../../src/user/udev-rules.ts';
import { need } from './namespace.ts';
import { locationIn, synthetic, vf, writeHandMade } from './tree.ts';
import { marksIn, udevProperties } from './udevadm.ts';

const folder = mkdtempSync(join(tmpdir(), 'netvsim-udev-'));
let trees = 0;

function tree(...nics: Parameters<typeof writeHandMade>[1]): string {
  const root = join(folder, String(trees++));
  writeHandMade(root, nics);
  return root;
}

beforeAll(() => need('util-linux', 'udev'));
afterAll(() => rmSync(folder, { recursive: true }));

describe("Azure's rule under the real udevadm", () => {
  test.each(
    [0x1002, 0x1003, 0x1203, 0x1802, 0x1803, 0x1903, 0x1a03, 0x1b03, 0x11803].map((flags) => [
      flags.toString(16),
      flags,
    ]),
  )('over the flags 0x%s does what the model says', (_hex, flags) => {
    const marks = marksIn(udevProperties(tree(synthetic(), vf({ flags: Number(flags) })), 'eth1'));
    const expected = matches(AZURE_UNMANAGED_SRIOV.flags, `0x${flags.toString(16)}`) ? AZURE_UNMANAGED_SRIOV.sets : {};
    expect(marks).toEqual(expected);
  });

  test('misses SLAVE and ALLMULTI (0x1a03): the finding does not come from the model', () => {
    expect(marksIn(udevProperties(tree(synthetic(), vf({ flags: 0x1a03 })), 'eth1'))).toEqual({});
  });

  test.each(['mana', 'mlx4_core', 'mlx5_core', 'ixgbevf', 'mlx5'])(
    'for the driver %s does what the model says',
    (driver) => {
      const marks = marksIn(udevProperties(tree(synthetic(), vf({ driver, flags: 0x1802 })), 'eth1'));
      expect(Object.keys(marks).length > 0).toBe(matches(AZURE_UNMANAGED_SRIOV.drivers, driver));
    },
  );

  test('leaves the synthetic NIC alone', () => {
    expect(marksIn(udevProperties(tree(synthetic({ flags: 0x1803 })), 'eth0'))).toEqual({});
  });
});

describe('names by the real net_id', () => {
  test.each([
    { domain: 1, slot: '1' },
    { domain: 0, slot: '3' },
    { domain: 0x1a65, slot: '2' },
    { domain: 1, slot: '1-1' },
    { domain: 1, slot: undefined },
  ])('for domain $domain and slot $slot are those of the model', (pci) => {
    const root = tree(synthetic(), vf({ pci }));
    const properties = udevProperties(root, 'eth1');
    const names = { slot: properties.get('ID_NET_NAME_SLOT'), path: properties.get('ID_NET_NAME_PATH') };
    expect(names).toEqual(netNames(locationIn(root, 'eth1')));
  });

  test('for a VMBus NIC there are none', () => {
    const properties = udevProperties(tree(synthetic()), 'eth0');
    expect([properties.has('ID_NET_NAME_SLOT'), properties.has('ID_NET_NAME_PATH')]).toEqual([false, false]);
  });
});
