// dicomweb-client, the library under OHIF, against a running service: every transaction that it has.
// usage: node dicomweb-client.mjs BASE PACKAGES IMAGE JPEG PDF
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import assert from 'node:assert/strict'

const [base, packages, image, jpeg, pdf] = process.argv.slice(2)
const require = createRequire(packages + '/')
globalThis.XMLHttpRequest = require('xhr2')
globalThis.XMLHttpRequest.prototype._restrictedHeaders = {}
const { DICOMwebClient } = require('dicomweb-client').api
const client = new DICOMwebClient({ url: base, verbose: false })
const bytes = path => { const file = readFileSync(path); return file.buffer.slice(file.byteOffset, file.byteOffset + file.length) }
const value = (item, tag) => item[tag].Value[0]
const same = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0

const stored = JSON.parse(await client.storeInstances({ datasets: [bytes(image), bytes(jpeg), bytes(pdf)] }))
assert.equal(stored['00081199'].Value.length, 3)

const studies = await client.searchForStudies({ queryParams: { includefield: 'all' } })
assert.equal(studies.length, 3)
const found = {}
for (const study of studies) {
  const studyInstanceUID = value(study, '0020000D')
  for (const series of await client.searchForSeries({ studyInstanceUID })) {
    const seriesInstanceUID = value(series, '0020000E')
    const instances = await client.searchForInstances({ studyInstanceUID, seriesInstanceUID })
    assert.equal(instances.length, 1)
    found[value(series, '00080060')] = { studyInstanceUID, seriesInstanceUID, sopInstanceUID: value(instances[0], '00080018') }
    assert.equal((await client.retrieveSeriesMetadata({ studyInstanceUID, seriesInstanceUID })).length, 1)
  }
  assert.equal((await client.retrieveStudyMetadata({ studyInstanceUID })).length, 1)
  assert.equal((await client.retrieveStudy({ studyInstanceUID })).length, 1)
}
assert.deepEqual(await client.searchForStudies({ queryParams: { PatientID: 'nobody has this' } }), [])
assert.equal((await client.searchForSeries({ queryParams: { Modality: 'DOC' } })).length, 1)
assert.equal((await client.searchForInstances()).length, 3)

const ct = found.CT, [metadata] = [await client.retrieveInstanceMetadata(ct)].flat()
assert.equal(value(metadata, '00280010'), 512)
assert.ok(same(await client.retrieveInstance(ct), bytes(image)))
const pixels = await client.retrieveInstanceFrames({ ...ct, frameNumbers: [1] })
assert.equal(pixels.length, 1)
assert.equal(pixels[0].byteLength, 512 * 512 * 2)
const bulk = await client.retrieveBulkData({ BulkDataURI: metadata['7FE00010'].BulkDataURI })
assert.ok(same(bulk[0], pixels[0]))
// As OHIF is configured: single parts, which come in ranges too.
const single = new DICOMwebClient({ url: base, verbose: false, singlepart: 'bulkdata' })
const part = await single.retrieveBulkData({ BulkDataURI: metadata['7FE00010'].BulkDataURI, headers: { Range: 'bytes=0-99' } })
assert.ok(same(part[0] ?? part, pixels[0].slice(0, 100)))

const us = found.US
const compressed = await client.retrieveInstanceFrames({
  ...us, frameNumbers: [1], mediaTypes: [{ mediaType: 'image/jp2', transferSyntaxUID: '1.2.840.10008.1.2.4.90' }],
})
assert.ok(compressed[0].byteLength > 1000)

const [document] = [await client.retrieveInstanceRendered(found.DOC)].flat()
assert.equal(Buffer.from(document).subarray(0, 5).toString(), '%PDF-')
await assert.rejects(client.retrieveInstance({ studyInstanceUID: '1.2', seriesInstanceUID: '1.2.3', sopInstanceUID: '1.2.3.4' }))
console.log('dicomweb-client: stored 3, found 3 studies, retrieved objects, metadata, frames, bulk data, a range and a document')
