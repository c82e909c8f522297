// Reads or writes a table and a container with Microsoft's own clients, so that ours can be compared with them.
// node official-client.mjs read|write CONNECTION-STRING TABLE CONTAINER
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
const require = createRequire(new URL('../../dev/package.json', import.meta.url));
const { TableClient } = require('@azure/data-tables');
const { BlobServiceClient } = require('@azure/storage-blob');

const [mode, connection, tableName, containerName] = process.argv.slice(2);
const table = TableClient.fromConnectionString(connection, tableName, { allowInsecureConnection: true });
const container = BlobServiceClient.fromConnectionString(connection).getContainerClient(containerName);

const typed = value => {
  if (typeof value === 'string') return `string ${value}`;
  if (typeof value === 'boolean') return `bool ${value}`;
  if (typeof value === 'bigint') return `long ${value}`;
  if (typeof value === 'number') return `number ${value}`;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (value instanceof Date) return `time ${value.toISOString()}`;
  return `${value.type} ${value.value}`;
};

if (mode === 'read') {
  const rows = [];
  for await (const { etag, timestamp, ...row } of table.listEntities()) {
    rows.push(Object.fromEntries(Object.entries(row).map(([name, value]) => [name, typed(value)]).concat([['etag', etag]])));
  }
  const blobs = [];
  for await (const blob of container.listBlobsFlat({ includeMetadata: true })) {
    const bytes = await container.getBlobClient(blob.name).downloadToBuffer();
    blobs.push({ name: blob.name, sha256: createHash('sha256').update(bytes).digest('hex'), metadata: blob.metadata ?? {}, type: blob.properties.contentType });
  }
  console.log(JSON.stringify({ rows, blobs }));
} else {
  await table.submitTransaction([
    ['create', {
      partitionKey: "O'Brien", rowKey: 'Müller 山田', text: 'a "quoted" 😀', empty: '', int: -5,
      long: { value: '9223372036854775807', type: 'Int64' }, flag: true,
      whole: { value: 3, type: 'Double' }, half: 1.5, time: { value: '2024-05-06T07:08:09.1234567Z', type: 'DateTime' },
      id: { value: '6ba7b810-9dad-11d1-80b4-00c04fd430c8', type: 'Guid' }, bytes: new Uint8Array([0, 255, 62]),
    }],
    ['upsert', { partitionKey: "O'Brien", rowKey: 'second', value: 1 }, 'Replace'],
  ]);
  await container.getBlockBlobClient('put/Müller.dcm')
    .upload('abc', 3, { metadata: { sha256: 'ff' }, blobHTTPHeaders: { blobContentType: 'application/dicom' } });
  const staged = container.getBlockBlobClient('staged');
  await staged.stageBlock('YWFhYQ==', 'hello ', 6);
  await staged.stageBlock('YmJiYg==', 'world', 5);
  await staged.commitBlockList(['YWFhYQ==', 'YmJiYg==']);
}
