// The identity that the app runs as. User-assigned, so that its roles can be given before the app exists.
@description('Name of the resource, or the beginning of its names.')
param name string
@description('Region.')
param location string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
}

output id string = identity.id
output principalId string = identity.properties.principalId
output clientId string = identity.properties.clientId
