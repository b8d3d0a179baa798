import { defineSynthetic, ms } from '../src/device-kit.ts';

/** The synthetic NIC that Windows Server 2022 offers, with the delays that Azure's logs show. */
export const ws2022 = defineSynthetic({
  name: 'ws2022',
  summary: 'Windows Server 2022: VMBus 5.3, NVSP 6.1, vPCI 1.4',
  sources: [
    'versions.vmbus: linux include/linux/hyperv.h, VERSION_WIN10_V5_3 (Server 2022; reference C.1)',
    'versions.nvsp: linux drivers/net/hyperv/hyperv_net.h, NVSP_PROTOCOL_VERSION_61 (that this host speaks it: invented)',
    'versions.vpci: linux drivers/pci/controller/pci-hyperv.c, PCI_PROTOCOL_VERSION_1_4',
    'section sizes: reference C.5 (16 MB / 1728 = 9709 sections, 1 MB / 6144 = 170)',
    'mtuMax: linux hyperv_net.h, NETVSC_MTU; what the host allows is not published',
    'vfOffer: LISA serial logs, 1 to 40 ms (reference C.8): the middle',
    'switchDatapath: Azure kernel log example, 2.1 ms from link up until the path was switched (reference E.1)',
    'disassociate: Azure kernel log example, 1.1 s (reference E.1)',
    'linkSpeed100bps: invented (40 Gbit/s)',
  ],
  versions: { vmbus: 0x5_0003, nvsp: 0x6_0001, vpci: 0x1_0004 },
  receiveBuffer: { sectionBytes: 1728 },
  sendBuffer: { sectionBytes: 6144 },
  mtuMax: 65_521,
  linkSpeed100bps: 400_000_000,
  timing: { vfOffer: ms(20), switchDatapath: ms(2), disassociate: ms(1100) },
});
