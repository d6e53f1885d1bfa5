/** @module Interface modanchor:verifier/exchange@0.1.0 **/
export type Origin = import('./modanchor-verifier-types.js').Origin;
export type Failure = import('./modanchor-verifier-types.js').Failure;
export type ModuleVersion = import('./modanchor-verifier-types.js').ModuleVersion;
export type Measured = import('./modanchor-verifier-hashing.js').Measured;
export type Refusal = import('./modanchor-verifier-hashing.js').Refusal;
export type AttestationsGet = import('./modanchor-verifier-sigstore.js').AttestationsGet;
export type ZipDigest = import('./modanchor-verifier-sigstore.js').ZipDigest;
export type RekorGet = import('./modanchor-verifier-sigstore.js').RekorGet;
export type MetadataRecall = import('./modanchor-verifier-tuf.js').MetadataRecall;
export type MetadataGet = import('./modanchor-verifier-tuf.js').MetadataGet;
export type TargetGet = import('./modanchor-verifier-tuf.js').TargetGet;
export type TargetFile = import('./modanchor-verifier-tuf.js').TargetFile;
export type KeptMetadata = import('./modanchor-verifier-tuf.js').KeptMetadata;
export type KeptTarget = import('./modanchor-verifier-tuf.js').KeptTarget;
export type Item =
  | {
    tag: 'latest',
  }
  | {
    tag: 'go-latest',
  }
  | {
    tag: 'proof',
    val: string,
  }
  | {
    tag: 'links',
  }
  | {
    tag: 'link',
    val: [bigint, bigint],
  }
  | {
    tag: 'edge',
  }
  | {
    tag: 'first-seen',
  };
export interface Recall {
  database: string,
  item: Item,
  maxBytes: number,
}
/**
 * # Variants
 * 
 * ## `"any"`
 * 
 * ## `"remote"`
 */
export type Source = 'any' | 'remote';
export interface SumdbGet {
  database: string,
  path: string,
  maxBytes: number,
  source: Source,
}
export interface Advance {
  database: string,
  previous?: Uint8Array,
  next: Uint8Array,
}
/**
 * # Variants
 * 
 * ## `"module-cache"`
 * 
 * ## `"proxy"`
 */
export type Place = 'module-cache' | 'proxy';
export interface Holding {
  zip?: boolean,
  dir?: boolean,
  goMod?: boolean,
  info?: boolean,
  zipHash?: boolean,
}
export type Subject =
  | {
    tag: 'zip',
    val: ModuleVersion,
  }
  | {
    tag: 'dir',
    val: ModuleVersion,
  }
  | {
    tag: 'go-mod',
    val: ModuleVersion,
  }
  | {
    tag: 'vendor',
    val: string,
  };
export interface Measure {
  subject: Subject,
  place: Place,
  files: boolean,
}
/**
 * # Variants
 * 
 * ## `"info"`
 * 
 * ## `"zip-hash"`
 */
export type CacheFile = 'info' | 'zip-hash';
export interface CacheGet {
  module: ModuleVersion,
  file: CacheFile,
  maxBytes: number,
}
export interface ZipGet {
  module: ModuleVersion,
  place: Place,
  name: string,
  maxBytes: number,
}
export interface Oddities {
  writable: bigint,
  firstWritable?: string,
  links: Array<string>,
  irregular: Array<string>,
}
export interface Measurement {
  found: Result<Measured, Refusal>,
  oddities: Oddities,
}
export type Request =
  | {
    tag: 'recall',
    val: Recall,
  }
  | {
    tag: 'sumdb',
    val: SumdbGet,
  }
  | {
    tag: 'advance',
    val: Advance,
  }
  | {
    tag: 'held',
    val: Array<ModuleVersion>,
  }
  | {
    tag: 'measure',
    val: Measure,
  }
  | {
    tag: 'cached',
    val: CacheGet,
  }
  | {
    tag: 'zip-file',
    val: ZipGet,
  }
  | {
    tag: 'tuf-recall',
    val: MetadataRecall,
  }
  | {
    tag: 'tuf-metadata',
    val: MetadataGet,
  }
  | {
    tag: 'tuf-target',
    val: TargetGet,
  }
  | {
    tag: 'tuf-content',
    val: TargetGet,
  }
  | {
    tag: 'attestations',
    val: AttestationsGet,
  }
  | {
    tag: 'zip-digest',
    val: ZipDigest,
  }
  | {
    tag: 'rekor',
    val: RekorGet,
  }
  | {
    tag: 'artifact',
    val: number,
  };
export interface Body {
  content: Uint8Array,
  origin: Origin,
}
export type Answer =
  | {
    tag: 'body',
    val: Body,
  }
  | {
    tag: 'holdings',
    val: Array<Holding>,
  }
  | {
    tag: 'measurement',
    val: Measurement,
  }
  | {
    tag: 'target-file',
    val: TargetFile,
  };
export type Response = Result<Answer, Failure>;
export interface KeptItem {
  database: string,
  item: Item,
  content: Uint8Array,
}
export interface Evidence {
  database: string,
  name: string,
  content: Uint8Array,
}
export type Kept =
  | {
    tag: 'item',
    val: KeptItem,
  }
  | {
    tag: 'evidence',
    val: Evidence,
  }
  | {
    tag: 'tuf-metadata',
    val: KeptMetadata,
  }
  | {
    tag: 'tuf-target',
    val: KeptTarget,
  };
export type Result<T, E> = { tag: 'ok', val: T } | { tag: 'err', val: E };
