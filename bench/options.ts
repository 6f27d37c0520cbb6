/** What a benchmark is run with. */

export interface Options {
  /** 1: the sizes that the goals speak of; less for a quick look. */
  readonly scale: number;
  /** How often each is measured; each benchmark has its own usual number. */
  readonly rounds: number | undefined;
  readonly progress: (text: string) => void;
}
