/**
 * Which NIC cloud-init takes, as a pure function of what it read in /sys/class/net, for the releases whose rules
 * differ. The real functions of the release that Debian has are held against this in `test/real`.
 * Source: cloudinit/net/__init__.py get_interfaces(), get_interfaces_by_mac(), find_candidate_nics(),
 * find_fallback_nic(), and the list BLACKLIST_DRIVERS of sources/DataSourceAzure.py, of 19.3, 22.4.2 and 23.2.
 * What this leaves out: bridges, bonds, VLANs, veth, Open vSwitch, InfiniBand and virtio fail-over, which no guest here
 * has; `net.ifnames=0`; what is then written and renamed.
 */

/** What is read of one entry of /sys/class/net; undefined where the file or link is not there or gives EINVAL. */
export interface NicScan {
  readonly name: string;
  readonly address: string | undefined;
  readonly addrAssignType: string | undefined;
  readonly driver: string | undefined;
  readonly hasMaster: boolean;
  readonly carrier: string | undefined;
  readonly dormant: string | undefined;
  readonly operstate: string | undefined;
}

export interface CloudInitRelease {
  readonly version: string;
  /** Drivers whose NICs the Azure data source leaves out. */
  readonly blacklist: readonly string[];
  /** What two NICs with one address are: an error, or one when none of them has the driver hv_netvsc. */
  readonly duplicates: 'error' | 'hv_netvsc-wins';
  /** filter_hyperv_vf_with_synthetic_interface(): a NIC with a synthetic NIC's address is left out everywhere. */
  readonly filtersVfByMac: boolean;
  /** Whether NICs without carrier are candidates beside connected ones; 19.3 takes them only when there are no others. */
  readonly candidates: 'all' | 'connected-first';
}

export const CLOUD_INIT_RELEASES: readonly CloudInitRelease[] = [
  {
    version: '19.3',
    blacklist: ['mlx4_core'], // from memory; mlx5_core was added in 20.x
    duplicates: 'error',
    filtersVfByMac: false,
    candidates: 'connected-first',
  },
  {
    version: '22.4',
    blacklist: ['mlx4_core', 'mlx5_core'],
    duplicates: 'hv_netvsc-wins',
    filtersVfByMac: false,
    candidates: 'all',
  },
  { version: '23.2', blacklist: [], duplicates: 'hv_netvsc-wins', filtersVfByMac: true, candidates: 'all' },
];

/** What the release's functions give for a scan. */
export interface CloudInitFindings {
  /** get_interfaces_by_mac(): name by address, or the error that it raises. */
  readonly byMac: ReadonlyMap<string, string> | { readonly error: string };
  /** find_candidate_nics(), best first. */
  readonly candidates: readonly string[];
}

/** The NICs in the order of the directory; the order decides which of two equal ones is met first. */
export function findNics(
  release: CloudInitRelease,
  scan: readonly NicScan[],
  blacklist: readonly string[] = release.blacklist,
): CloudInitFindings {
  const listed = scan.filter((nic) => isOwn(nic) && !nic.hasMaster && !isBlacklisted(nic, blacklist));
  return {
    byMac: byMac(release, release.filtersVfByMac ? withoutVfs(listed) : listed),
    candidates: candidates(release, release.filtersVfByMac ? withoutVfs(scan) : scan, blacklist),
  };
}

/** Own, random or set address, and one that is there (interface_has_own_mac() and the tests for no MAC). */
function isOwn({ name, address, addrAssignType }: NicScan): boolean {
  if (address === undefined || address === '') return false;
  if (name !== 'lo' && address === '00:00:00:00:00:00') return false;
  return addrAssignType === undefined || ['0', '1', '3'].includes(addrAssignType);
}

const isBlacklisted = ({ driver }: NicScan, blacklist: readonly string[]): boolean =>
  driver !== undefined && blacklist.includes(driver);

function withoutVfs(nics: readonly NicScan[]): readonly NicScan[] {
  const synthetic = new Set(nics.filter(isSynthetic).map(({ address }) => address));
  return nics.filter((nic) => isSynthetic(nic) || !synthetic.has(nic.address));
}

const isSynthetic = ({ driver }: NicScan): boolean => driver === 'hv_netvsc';

function byMac({ duplicates }: CloudInitRelease, nics: readonly NicScan[]): CloudInitFindings['byMac'] {
  const found = new Map<string, NicScan>();
  for (const nic of nics) {
    const mac = nic.address ?? '';
    const other = found.get(mac);
    if (other !== undefined) {
      const tolerated = duplicates === 'hv_netvsc-wins' && isSynthetic(other) !== isSynthetic(nic);
      if (!tolerated) {
        const problem = `duplicate mac found! both '${nic.name}' and '${other.name}' have mac '${mac}'`;
        return { error: duplicates === 'error' ? problem : `${problem}.` };
      }
      if (isSynthetic(other)) continue;
    }
    found.set(mac, nic);
  }
  return new Map([...found].map(([mac, { name }]) => [mac, name]));
}

/** Operational states that a NIC without carrier may have and still get one when it is brought up. */
const MAY_CONNECT = ['dormant', 'down', 'lowerlayerdown', 'unknown'];

function candidates(
  release: CloudInitRelease,
  scan: readonly NicScan[],
  blacklist: readonly string[],
): readonly string[] {
  const nics = scan.filter((nic) => nic.name !== 'lo' && !isBlacklisted(nic, blacklist) && (nic.address ?? '') !== '');
  const connected = nics.filter(hasCarrier);
  const possible = nics.filter(
    (nic) => !hasCarrier(nic) && (Number(nic.dormant ?? 0) > 0 || MAY_CONNECT.includes(nic.operstate ?? '')),
  );
  const first = eth0First(connected);
  return release.candidates === 'connected-first' && first.length > 0 ? first : [...first, ...eth0First(possible)];
}

const hasCarrier = ({ carrier }: NicScan): boolean => Number(carrier ?? 0) > 0;

function eth0First(nics: readonly NicScan[]): readonly string[] {
  const names = nics.map(({ name }) => name).sort(naturally);
  return names.includes('eth0') ? ['eth0', ...names.filter((name) => name !== 'eth0')] : names;
}

/** natural_sort_key(): text in lower case and numbers by turns, so that eth10 comes behind eth2. */
function naturally(a: string, b: string): number {
  const [left, right] = [a, b].map((name) => name.toLowerCase().split(/(\d+)/));
  for (let i = 0; i < Math.min(left?.length ?? 0, right?.length ?? 0); i++) {
    const [x, y] = [left?.[i] ?? '', right?.[i] ?? ''];
    if (x === y) continue;
    return i % 2 === 1 ? Number(x) - Number(y) : x < y ? -1 : 1;
  }
  return (left?.length ?? 0) - (right?.length ?? 0);
}

export type CloudInitOutcome = 'duplicate-mac' | 'fallback-vf' | 'vf-candidate' | 'vf-ignored' | 'ok' | 'no-nic';

/**
 * What the findings come to for a machine whose network has to be on its synthetic NICs.
 * `duplicate-mac`: the error that ends the network part of the boot. `fallback-vf`: the configuration is written for a
 * VF. `vf-candidate`: a VF stands second in the list. `vf-ignored`: one was seen without its master and left out.
 */
export function judge(
  scan: readonly NicScan[],
  findings: CloudInitFindings,
): { readonly outcome: CloudInitOutcome; readonly detail: string } {
  const { byMac: nics, candidates: names } = findings;
  const isVf = (name: string): boolean => vfNames(scan).includes(name);
  const [fallback] = names;
  if ('error' in nics) {
    return { outcome: 'duplicate-mac', detail: `${nics.error}; fallback NIC ${fallback ?? 'none'}` };
  }
  if (fallback === undefined) return { outcome: 'no-nic', detail: '' };
  if (isVf(fallback)) return { outcome: 'fallback-vf', detail: names.join(' ') };
  if (names.some(isVf)) return { outcome: 'vf-candidate', detail: names.join(' ') };
  const unjoined = scan.some((nic) => isVf(nic.name) && !nic.hasMaster);
  return { outcome: unjoined ? 'vf-ignored' : 'ok', detail: names.join(' ') };
}

/** The NICs that share their address with a synthetic one. */
function vfNames(scan: readonly NicScan[]): readonly string[] {
  const synthetic = new Set(scan.filter(isSynthetic).map(({ address }) => address));
  return scan.filter((nic) => !isSynthetic(nic) && synthetic.has(nic.address)).map(({ name }) => name);
}
