// Blob events of the data account → its queue. A queue takes events at any time, however busy or cold the app is, and the app needs no public trigger endpoint.
@description('Name of the resource, or the beginning of its names.')
param name string
@description('Region.')
param location string
@description('The data account.')
param storageAccountName string
@description('Queue that blob events are sent to.')
param queueName string
@description('Container for events that could not be delivered.')
param deadLetterContainerName string

@description('Leaves out events of writes whose client request id is one of ours.')
param leaveOutOwnEvents bool

var eventTypes = ['Microsoft.Storage.BlobCreated', 'Microsoft.Storage.BlobDeleted']
var ownEvents = [
  {
    operatorType: 'StringNotBeginsWith'
    key: 'data.clientRequestId'
    values: ['dicomserverless-']
  }
]
// Storage Queue Data Message Sender; Storage Blob Data Contributor for what cannot be delivered.
var senderRole = 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
var deadLetterRole = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageAccountName
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' existing = {
  parent: account
  name: 'default'
}

resource deadLetterContainer 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = {
  parent: blobService
  name: deadLetterContainerName
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' existing = {
  parent: account
  name: 'default'
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' existing = {
  parent: queueService
  name: queueName
}

// System-assigned: a user-assigned identity does not get past a storage firewall.
resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: location
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: account.id
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

resource sender 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(queue.id, name, senderRole)
  scope: queue
  properties: {
    principalId: topic.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', senderRole)
  }
}

resource deadLetterWriter 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(deadLetterContainer.id, name, deadLetterRole)
  scope: deadLetterContainer
  properties: {
    principalId: topic.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', deadLetterRole)
  }
}

// One subscription a container, because a subscription filters by one beginning of the subject. What the app writes to the other containers tells it nothing.
resource subscriptions 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = [for container in ['dicom', 'inbox']: {
  parent: topic
  name: container
  dependsOn: [sender, deadLetterWriter]
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    filter: {
      includedEventTypes: eventTypes
      subjectBeginsWith: '/blobServices/default/containers/${container}/blobs/'
      advancedFilters: leaveOutOwnEvents ? ownEvents : []
    }
    deliveryWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      destination: {
        endpointType: 'StorageQueue'
        properties: {
          resourceId: account.id
          queueName: queueName
          // Kept until handled: the poison queue takes what cannot be.
          queueMessageTimeToLiveInSeconds: -1
        }
      }
    }
    deadLetterWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: account.id
          blobContainerName: deadLetterContainerName
        }
      }
    }
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
  }
}]
