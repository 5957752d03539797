export { isMambairError, MambairError } from './errors.js';
export type { ErrorCode, ErrorDetail } from './errors.js';
export { nearestName } from './nearest-name.js';
export { packageVersion } from './package-version.js';

// models
export { loadModel } from './library/load-model.js';
export type { LoadModelOptions } from './library/load-model.js';
export type { LoadedModelInfo, Model, RestoreFramesOptions, RunTensorOptions } from './library/model.js';
export type { Device, DeviceOptions } from './library/executors.js';
export { inspectModel } from './library/inspect-model.js';
export type { ModelReport } from './library/inspect-model.js';
export { chooseModelForFile } from './library/choose-model-for-file.js';
export { chooseModel, findModel, listModels } from './models/catalogue.js';
export type { ListedModel, ModelWish } from './models/catalogue.js';
export type { ModelEntry, RestorationTask } from './models/model-entry.js';
export { embeddedModelsFolder, pulledModelsFolder } from './models/models-folder.js';
export { pullModel } from './models/pull.js';
export type { PulledModel, PullOptions } from './models/pull.js';
export type { DownloadOptions } from './models/download.js';
export type { ModelInfo, Task } from './architectures/architecture.js';

// restoring pictures
export type { RestoredPicture, RestorePictureOptions, RestoreWarning } from './library/restore-picture.js';
export type { RestoredFile, RestoreFileOptions } from './library/restore-file.js';
export type { Progress, Recovered, RestoreOptions } from './restore/options.js';
export type { PixelImage, RowSink } from './image/pixels.js';
export { readImage } from './image/read-image.js';
export type { ReadImageOptions, SourceImage } from './image/read-image.js';
export { countPixels } from './image/count-pixels.js';
export { openImageWriter, writeImage } from './image/write-image.js';
export type { ImageWriter, WriteImageOptions } from './image/write-image.js';
export type { ImageSpec } from './image/image-spec.js';
export type { ImageMetadata, ImageWarning, ImageWarningCode } from './image/image-metadata.js';
export type { JpegCompression } from './image/jpeg-quality.js';
export { imageExtensions, imageFormatOfPath, writableImageFormats } from './image/image-format.js';
export type { ImageFormat, WritableImageFormat } from './image/image-format.js';

// video frames
export { createFrameConverter } from './video/frame-converter.js';
export type { FrameConverter } from './video/frame-converter.js';
export type { FrameRestorer } from './restore/restore-frames.js';
export { matrixForTag } from './video/colour.js';
export type { ChromaLocation, ColourRange, FrameColour, YuvMatrix } from './video/colour.js';
export { frameLayout, pixelFormat, pixelFormats } from './video/pixel-format.js';
export type { FrameLayout, PixelFormat, PlaneLayout, VideoChannel } from './video/pixel-format.js';

// tensors and checkpoints
export type {
  ExecutorName,
  MemoryReport,
  Network,
  PrecisionChoice,
  Routing,
  RunOptions,
  RunResult,
} from './executors/executor.js';
export type { ChromaSiting, CodedChannel, CodedPicture, CodedPictures } from './tensor/coded-picture.js';
export { dtypeBytes, elementCount, tensor } from './tensor/tensor.js';
export type { DType, Precision, StoredTensor, Tensor, TensorMap } from './tensor/tensor.js';
export { readInputTensor, readNoise, writeTensors } from './library/tensor-files.js';
export type { NamedValues } from './library/tensor-files.js';
export { readCheckpoint } from './checkpoint/read-checkpoint.js';
export type { Checkpoint, ReadOptions } from './checkpoint/read-checkpoint.js';
export type { CheckpointFormat } from './checkpoint/detect-format.js';
export { convertCheckpoint } from './checkpoint/convert-checkpoint.js';
export type { Conversion, ConvertOptions } from './checkpoint/convert-checkpoint.js';
export type { FloatDType } from './tensor/convert.js';

// measuring
export { evaluateFolder } from './library/evaluate-folder.js';
export type { EvaluateFolderOptions } from './library/evaluate-folder.js';
export type { ImageScores, SetScores } from './evaluate/evaluate-set.js';
export type { Scores } from './evaluate/protocol.js';
export { psnr, ssim } from './evaluate/metrics.js';
export type { MetricOptions } from './evaluate/metrics.js';
export { imresize } from './evaluate/imresize.js';
export type { ResizeTarget } from './evaluate/imresize.js';
export { runBenchmark } from './benchmark/benchmark.js';
export type { BenchmarkLine, BenchmarkOptions, BenchmarkReport, RunTime } from './benchmark/benchmark.js';
export { describeMachine } from './library/describe-machine.js';
export type { GpuReport } from './library/describe-gpus.js';
export type { DescribeMachineOptions, MachineReport } from './library/describe-machine.js';
export type { AutoReport, PlaceOptions } from './library/place-network.js';
export { bisectModel } from './library/bisect-model.js';
export type { BisectModelOptions, ModelBisection } from './library/bisect-model.js';
export type { Bisection, BisectNetworksOptions, Departure } from './library/bisect.js';
export { measureGpu } from './library/measure-gpu.js';
export type { GpuSpeed } from './library/measure-gpu.js';
