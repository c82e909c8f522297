// DicomServerless: one archive. Deploy into a resource group:
//   az deployment group create -g <group> -f infra/main.bicep -p infra/main.bicepparam
// then the code: infra/publish.sh, and `az functionapp deployment source config-zip`. infra/README.md has every step.
targetScope = 'resourceGroup'

@description('Starts every resource name: lower-case letters and digits.')
@minLength(3)
@maxLength(11)
param name string

@description('Region.')
param location string = resourceGroup().location

@description('Memory of one instance, MB. 16 requests at a time run on 2048.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('The most instances that may run at the same time.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 100

@description('HTTP instances kept warm. 0 costs nothing when idle.')
@minValue(0)
param alwaysReadyInstances int = 0

@description('commit: what was stored is found when the store is answered. event: the answer comes after the blob, the event indexes.')
@allowed(['commit', 'event'])
param indexing string = 'commit'

@description('With indexing = commit, whether events of our own writes are left out at the source: fewer events to pay for, one safety net less.')
param filterOwnEvents bool = false

@description('Client ID of the app registration by which callers sign in (App Service authentication).')
param authClientId string

@description('Whether callers must sign in. Without it everything is public: only for a network that nobody else reaches.')
param requireAuthentication bool = true

@description('Origins that browsers may call from, for example a viewer elsewhere.')
param allowedOrigins string[] = []

@description('Days for which logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

var suffix = uniqueString(resourceGroup().id)

module identity 'modules/identity.bicep' = {
  params: {
    name: '${name}-app'
    location: location
  }
}

module logs 'modules/logs.bicep' = {
  params: {
    name: name
    location: location
    retentionDays: logRetentionDays
    publisherPrincipalId: identity.outputs.principalId
  }
}

module dataStorage 'modules/data-storage.bicep' = {
  params: {
    name: take('${name}data${suffix}', 24)
    location: location
    appPrincipalId: identity.outputs.principalId
    allowedOrigins: allowedOrigins
  }
}

module hostStorage 'modules/host-storage.bicep' = {
  params: {
    name: take('${name}host${suffix}', 24)
    location: location
    appPrincipalId: identity.outputs.principalId
  }
}

module events 'modules/events.bicep' = {
  params: {
    name: '${name}-events'
    location: location
    storageAccountName: dataStorage.outputs.accountName
    queueName: dataStorage.outputs.eventsQueueName
    deadLetterContainerName: dataStorage.outputs.deadLetterContainerName
    leaveOutOwnEvents: filterOwnEvents && indexing == 'commit'
  }
}

module app 'modules/app.bicep' = {
  params: {
    name: '${name}-${suffix}'
    location: location
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    dataBlobUri: dataStorage.outputs.blobUri
    dataQueueUri: dataStorage.outputs.queueUri
    dataTableUri: dataStorage.outputs.tableUri
    eventsQueueName: dataStorage.outputs.eventsQueueName
    hostAccountName: hostStorage.outputs.accountName
    deploymentContainerUrl: hostStorage.outputs.deploymentContainerUrl
    applicationInsightsConnectionString: logs.outputs.connectionString
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyInstances: alwaysReadyInstances
    indexing: indexing
    authClientId: authClientId
    requireAuthentication: requireAuthentication
    allowedOrigins: allowedOrigins
  }
}

@description('The DICOMweb URL.')
output dicomWebUrl string = 'https://${app.outputs.hostName}/dicomweb'

@description('The function app, for deploying the code.')
output functionAppName string = app.outputs.name

@description('The account that holds the objects.')
output dataAccountName string = dataStorage.outputs.accountName
