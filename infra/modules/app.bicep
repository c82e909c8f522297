// The function app: Flex Consumption, .NET isolated worker. Costs nothing while nobody asks.
@description('Name of the resource, or the beginning of its names.')
param name string
@description('Region.')
param location string
@description('Resource ID of the identity that the app runs as.')
param identityId string
@description('Client ID of that identity.')
param identityClientId string
@description('Blob endpoint of the data account.')
param dataBlobUri string
@description('Queue endpoint of the data account.')
param dataQueueUri string
@description('Table endpoint of the data account.')
param dataTableUri string
@description('Queue that blob events arrive in.')
param eventsQueueName string
@description('The Functions host\'s own account.')
param hostAccountName string
@description('Container that the package is deployed to.')
param deploymentContainerUrl string
@description('Where telemetry goes.')
param applicationInsightsConnectionString string
@description('Memory of one instance, MB.')
param instanceMemoryMB int
@description('The most instances at the same time.')
param maximumInstanceCount int
@description('HTTP instances kept warm.')
param alwaysReadyInstances int
@description('commit or event, see main.bicep.')
param indexing string
@description('App registration by which callers sign in.')
param authClientId string
@description('Whether callers must sign in.')
param requireAuthentication bool
@description('Origins that browsers may call from.')
param allowedOrigins string[]

// 100 MiB: what the host takes in one request. Larger objects go another way; a larger limit costs the host as much memory a request.
var maxBodyBytes = 104857600

var settings = {
  AzureWebJobsStorage__accountName: hostAccountName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsDisableHomepage: 'true'
  // The direct Event Grid trigger is there but off: the queue is the way of events.
  'AzureWebJobs.eventsGrid.Disabled': 'true'
  APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  DataStorage__blobServiceUri: dataBlobUri
  DataStorage__queueServiceUri: dataQueueUri
  DataStorage__tableServiceUri: dataTableUri
  DataStorage__credential: 'managedidentity'
  DataStorage__clientId: identityClientId
  EVENTS_QUEUE: eventsQueueName
  SWEEP_CRON: '0 * * * * *'
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: string(maxBodyBytes)
  Http__MaxBodyBytes: string(maxBodyBytes)
  // Workers of .NET 10 were seen to crash when they start out of the platform's placeholder (azure-functions-dotnet-worker issue 3335); without it a cold start
  // takes about half a second longer.
  WEBSITE_USE_PLACEHOLDER_DOTNETISOLATED: '0'
  Archive__OnStore: indexing == 'commit' ? 'Commit' : 'Event'
  // The platform says which origins may call; which headers their pages may read it does not.
  Http__CorsByPlatform: empty(allowedOrigins) ? 'false' : 'true'
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: '${name}-plan'
  location: location
  kind: 'functionapp'
  sku: {
    tier: 'FlexConsumption'
    name: 'FC1'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'dotnet-isolated'
        version: '10.0'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReadyInstances == 0 ? [] : [
          {
            name: 'http'
            instanceCount: alwaysReadyInstances
          }
        ]
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      // The platform answers preflight requests itself, so the origins are its to know.
      cors: {
        allowedOrigins: allowedOrigins
      }
    }
  }
}

resource appSettings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: settings
}

resource authentication 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: requireAuthentication
    }
    globalValidation: {
      requireAuthentication: requireAuthentication
      // An app gets 401, not the login page that it cannot show.
      unauthenticatedClientAction: 'Return401'
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: authClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${subscription().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [
            authClientId
            'api://${authClientId}'
          ]
        }
      }
    }
    login: {
      tokenStore: {
        enabled: false
      }
    }
  }
}

resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

output name string = app.name
output hostName string = app.properties.defaultHostName
