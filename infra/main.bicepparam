using 'main.bicep'

param name = 'dicom'
// The app registration that callers sign in with; infra/README.md says how to make one.
param authClientId = '00000000-0000-0000-0000-000000000000'
