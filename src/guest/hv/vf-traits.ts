/** What a VF's driver knows of its family: spans of time and limits, from the device model. */
export interface VfTraits {
  readonly vendor: number;
  readonly device: number;
  readonly probe: number;
  readonly link: number;
  readonly stop: number;
  readonly mtuMin: number;
  readonly mtuMax: number;
}
