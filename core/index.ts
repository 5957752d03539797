export { isMambairError, MambairError } from './errors.js';
export type { ErrorCode, ErrorDetail } from './errors.js';
export { nearestName } from './nearest-name.js';
export { packageVersion } from './package-version.js';

export { chooseModel, findModel, listModels } from './models/catalogue.js';
export type { ListedModel, ModelWish } from './models/catalogue.js';
export type { ModelEntry, RestorationTask } from './models/model-entry.js';
export { embeddedModelsFolder, pulledModelsFolder } from './models/models-folder.js';
export { pullModel } from './models/pull.js';
export type { PulledModel, PullOptions } from './models/pull.js';
export { imresize } from './evaluate/imresize.js';

export { inspectModel } from './library/inspect-model.js';
export type { ModelReport } from './library/inspect-model.js';
