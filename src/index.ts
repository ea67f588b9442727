/**
 * The library's whole public surface. Everything else may change in any release; the layout of files below is private,
 * and package.json exports nothing but this.
 */
export { pack } from './image/pack.ts';
export { push } from './image/push.ts';
export { inspect } from './image/inspect.ts';
export { exportTarball } from './image/export-tarball.ts';
export { showBuildout } from './project/show.ts';
export { writeExpressions } from './project/write-expressions.ts';
export { instance } from './image/instance.ts';
export { CHOICES } from './image/options.ts';
export { EXIT_CODES, OciPloneError } from './errors.ts';
export type { ErrorCode } from './errors.ts';
export type { OnProgress, ProgressEvent } from './progress.ts';
export type { PackOptions } from './image/options.ts';
export type { CallOptions } from './call-options.ts';
export type { ExpressionOptions, ShowOptions } from './project/options.ts';
export type { ExpressionResult } from './project/write-expressions.ts';
export type { ShownBuildout, ShownOption, ShownSection } from './project/show.ts';
export type { LayerResult, PackResult } from './image/result.ts';
export type { PushOptions, PushResult } from './image/push.ts';
export type { InspectOptions, InspectResult, InspectedLayer } from './image/inspect.ts';
export type { TarballOptions, TarballResult } from './image/export-tarball.ts';
export type { InstanceOptions, InstanceResult } from './image/instance.ts';
export type { Leftover, Warning } from './plone/rewritten.ts';
