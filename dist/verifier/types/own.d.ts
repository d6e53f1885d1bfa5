/** The component that lies beside this package's code. */
import type { Job } from './contract.js';
import { Verifier, type End, type Fetcher, type Watch } from './verifier.js';
/** The package's own component, read and compiled once. Throws a {@link VerifierError} if it cannot be read. */
export declare function ownVerifier(): Promise<Verifier>;
/** Runs a job to its end with the package's own component: {@link Verifier.verify}. */
export declare function verify(job: Job, fetcher: Fetcher, watch?: Watch): Promise<End>;
