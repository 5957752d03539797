export { MambairError, isMambairError } from './errors.js';
export type { ErrorCode, ErrorDetail } from './errors.js';
