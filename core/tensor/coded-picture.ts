/** A channel of a picture's codes. */
export interface CodedChannel {
  /** Its first sample, counted from the start of the picture. */
  readonly first: number;
  /** Samples from one to the next. */
  readonly step: number;
  readonly width: number;
  readonly height: number;
}

/** Where the sample of a pair of pixels lies on an axis. */
export type ChromaSiting = 'first' | 'between' | 'second';

/** Where the codes of a picture or frame lie and what they mean. Plain data: it may go to another process. */
export interface CodedPicture {
  readonly width: number;
  readonly height: number;
  /** Two are least significant first. */
  readonly bytesPerSample: 1 | 2;
  /** Samples of all planes. */
  readonly samples: number;
  /** The largest code. */
  readonly largest: number;
  /** Red, green, blue; or luma and both chroma; or gray alone. */
  readonly channels: readonly CodedChannel[];
  /** All planes, at most four: the first sample, and which of `channels` its samples are in turn; -1 is no colour. */
  readonly planes: readonly { readonly first: number; readonly channels: readonly number[] }[];
  readonly isYuv: boolean;
  /** Weights of R', G', B' in luma. */
  readonly luma: { readonly red: number; readonly green: number; readonly blue: number };
  /** Codes of black and neutral, and steps a unit. */
  readonly scale: {
    readonly lumaOffset: number;
    readonly lumaScale: number;
    readonly chromaOffset: number;
    readonly chromaScale: number;
  };
  /** Chroma planes are smaller by these powers of two. */
  readonly chromaShift: { readonly horizontal: number; readonly vertical: number };
  readonly siting: { readonly horizontal: ChromaSiting; readonly vertical: ChromaSiting };
}

/** A picture's codes before and after a network: the same kind, the second `scale` times as large. */
export interface CodedPictures {
  readonly source: CodedPicture;
  readonly target: CodedPicture;
}
