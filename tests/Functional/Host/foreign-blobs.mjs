// Another client of the storage account: the official one.
// usage: node foreign-blobs.mjs PORT put CONTAINER NAME BASE64 | delete CONTAINER NAME | list CONTAINER
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../../dev/package.json', import.meta.url));
const { BlobServiceClient } = require('@azure/storage-blob');

const [port, action, container, name, content] = process.argv.slice(2);
// The emulator's account and key are public and fixed.
const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
const account = BlobServiceClient.fromConnectionString(
  `DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=${key};BlobEndpoint=http://127.0.0.1:${port}/devstoreaccount1;`);
const client = account.getContainerClient(container);
if (action === 'put') await client.getBlockBlobClient(name).uploadData(Buffer.from(content, 'base64'));
if (action === 'delete') await client.deleteBlob(name);
if (action === 'list') for await (const blob of client.listBlobsFlat()) console.log(blob.name);
