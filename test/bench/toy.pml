/*
 * The toy of toy.ts for SPIN: the same steps of the same actors, each step one transition; what an actor knows is local.
 * With NICS above 1 as many toys run side by side, for a rate that can be measured.
 *
 *   spin -a toy.pml && gcc -O2 -o pan pan.c && ./pan -c0
 */
#ifndef NICS
#define NICS 1
#endif

bool registered[NICS], listed[NICS], visible[NICS], slave[NICS], leased[NICS];

proctype netvscProbe(byte nic) {
  bool wasThere;
  registered[nic] = true;
  listed[nic] = true;
  wasThere = visible[nic];
  slave[nic] = slave[nic] || wasThere
}

proctype vfProbe(byte nic) {
  bool known;
  known = listed[nic];
  slave[nic] = slave[nic] || known;
  visible[nic] = true;
  known = listed[nic];
  slave[nic] = slave[nic] || known
}

proctype userScan(byte nic) {
  bool seen, marked, ready;
  seen = visible[nic];
  marked = slave[nic];
  ready = registered[nic];
  d_step {
    leased[nic] = seen && ready && !marked;
    assert(!leased[nic])
  }
}

init {
  atomic {
    byte nic = 0;
    do
    :: nic < NICS ->
      run netvscProbe(nic);
      run vfProbe(nic);
      run userScan(nic);
      nic++
    :: else -> break
    od
  }
}
