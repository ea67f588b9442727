/**
 * The library's whole public surface. Everything else may change in any release; the layout of files below is private,
 * and package.json exports nothing but this.
 */
import type * as ExportTarball from './image/export-tarball.ts';
import type * as Inspect from './image/inspect.ts';
import type * as Instance from './image/instance.ts';
import type * as Push from './image/push.ts';
import type * as Show from './project/show.ts';
import type * as WriteExpressions from './project/write-expressions.ts';

export { pack } from './image/pack.ts';
/*
 * What only some callers need is loaded by their first call.
 */
/** See `push` of image/push.ts. */
export const push: typeof Push.push = async (options) => (await import('./image/push.ts')).push(options);
/** See `inspect` of image/inspect.ts. */
export const inspect: typeof Inspect.inspect = async (options) => (await import('./image/inspect.ts')).inspect(options);
/** See `exportTarball` of image/export-tarball.ts. */
export const exportTarball: typeof ExportTarball.exportTarball = async (options) =>
  (await import('./image/export-tarball.ts')).exportTarball(options);
/** See `showBuildout` of project/show.ts. */
export const showBuildout: typeof Show.showBuildout = async (options) =>
  (await import('./project/show.ts')).showBuildout(options);
/** See `writeExpressions` of project/write-expressions.ts. */
export const writeExpressions: typeof WriteExpressions.writeExpressions = async (options) =>
  (await import('./project/write-expressions.ts')).writeExpressions(options);
/** See `instance` of image/instance.ts. */
export const instance: typeof Instance.instance = async (options) =>
  (await import('./image/instance.ts')).instance(options);

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
