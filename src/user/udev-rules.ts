/**
 * The udev rule that marks a VF which belongs to a synthetic NIC, so that managers leave it alone.
 * Source: Azure/azure-vm-utils, 10-azure-unmanaged-sriov.rules; matching as in systemd's udev-rules.c: alternatives
 * split at `|`, each by fnmatch(), which heeds case. Within one line udev tests ATTR before DRIVERS.
 * What this leaves out: the language of rules. One rule is data here; udev's others (names, links, permissions) are in
 * `udev.ts` as far as they show.
 */

/** A rule as far as it is modelled: two matches, and the properties that it sets. */
export interface UdevRule {
  readonly file: string;
  /** ATTR{flags} as a glob. */
  readonly flags: string;
  /** DRIVERS: a driver of the device or of one of its parents, as a glob. */
  readonly drivers: string;
  readonly sets: Readonly<Record<string, string>>;
}

/**
 * The rule means "the IFF_SLAVE bit is set", but its hexadecimal digits are upper case and the kernel prints lower case
 * (`%#x`), so a VF with SLAVE and ALLMULTI (0x1a03) slips through: seen with the real udevadm too, `test/real`.
 */
export const AZURE_UNMANAGED_SRIOV: UdevRule = {
  file: '10-azure-unmanaged-sriov.rules',
  flags: '0x?[89ABCDEF]??',
  drivers: 'mana|mlx4_core|mlx5_core',
  sets: { AZURE_UNMANAGED_SRIOV: '1', ID_NET_MANAGED_BY: 'unmanaged', NM_UNMANAGED: '1' },
};

/** Whether one of the alternatives of a udev match is the whole text. */
export function matches(pattern: string, text: string): boolean {
  let expressions = EXPRESSIONS.get(pattern);
  if (expressions === undefined) {
    expressions = pattern.split('|').map(globExpression);
    EXPRESSIONS.set(pattern, expressions);
  }
  return expressions.some((expression) => expression.test(text));
}

/** Rules are few, and each is looked at for every uevent of every run. */
const EXPRESSIONS = new Map<string, readonly RegExp[]>();

/** fnmatch(3) without flags: `*`, `?` and bracket sets; all else stands for itself. */
function globExpression(glob: string): RegExp {
  const parts = glob.match(/\[!?\]?[^\]]*\]|./gs) ?? [];
  const source = parts.map((part) => {
    if (part === '*') return '.*';
    if (part === '?') return '.';
    if (part.length > 1) return part.replace(/^\[!/, '[^').replaceAll('\\', '\\\\');
    return part.replace(/[\\^$.+()|{}[\]]/, '\\$&');
  });
  return new RegExp(`^${source.join('')}$`, 's');
}
