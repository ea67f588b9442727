import assert from 'node:assert/strict';
import { type TestContext, describe, it } from 'node:test';
import { missing } from '../support/fixtures.ts';
import { startFaultRegistry } from '../support/fault-registry.ts';
import { startRegistry } from '../support/registry.ts';
import { isError, push } from './expect.ts';
import { type Line, startRecorder } from './recorder.ts';
import { blobOf, bytesNamed, imageOf } from './sample.ts';

/** What goes over the wire in a push of a new image, in a repeated one, and with a blob that the manifest lacks. */
async function transcript(t: TestContext, host: string): Promise<readonly Line[]> {
  const recorder = await startRecorder(host);
  t.after(() => recorder.stop());
  const image = imageOf([blobOf(bytesNamed('transcript', 200_000))]);
  await push(image, [`${recorder.host}/team/plone:1`]);
  await push(image, [`${recorder.host}/team/plone:2`]);
  const other = imageOf([blobOf(bytesNamed('left out', 1000))]);
  const lacking = { ...other, blobs: other.blobs.slice(0, 1) };
  await assert.rejects(push(lacking, [`${recorder.host}/team/plone:3`]), isError('REGISTRY'));
  // The order of what goes side by side is nobody's promise.
  return [...recorder.lines].sort((one, two) => (JSON.stringify(one) < JSON.stringify(two) ? -1 : 1));
}

describe('the double of a registry', { skip: missing('docker-registry') }, () => {
  it('answers a push as docker-registry does', async (t) => {
    const real = await startRegistry();
    t.after(() => real.stop());
    const double = await startFaultRegistry();
    t.after(() => double.stop());
    const [made, found] = await Promise.all([transcript(t, double.host), transcript(t, real.host)]);
    assert.deepEqual(made, found);
  });
});
