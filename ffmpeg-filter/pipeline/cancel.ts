import { MambairError } from '../../core/index.js';

/** Stops a long call at its next safe point. @throws MAMBAIR_CANCELLED once the signal is aborted */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw new MambairError('MAMBAIR_CANCELLED', 'cancelled by the caller', { cause: signal.reason });
  }
}
