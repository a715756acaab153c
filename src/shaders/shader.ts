/** WGSL of one file, and the interface that it declares. */
export interface Shader<P, A> {
  /** WGSL without comments. */
  readonly code: string;
  /** Scalars of its struct `Params`, in order. */
  readonly params: P;
  /** Access of its storage bindings. */
  readonly access: A;
}
