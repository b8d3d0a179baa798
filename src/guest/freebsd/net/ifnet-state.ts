/** Names for where an interface is in its life, and its flags. */

/**
 * Reference A.14. `unlinked`: off the list on its way out; `moving`: off the list between two vnets; `index-freed`: its
 * number can be given out again; `zombie`: that, and somebody still has a reference.
 */
export type IfnetState =
  | 'allocated'
  | 'attached'
  | 'renaming'
  | 'unlinked'
  | 'moving'
  | 'index-freed'
  | 'zombie'
  | 'freed';

/** LINK_STATE_* (net/if.h). */
export type LinkState = 'unknown' | 'down' | 'up';
