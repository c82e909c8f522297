using DicomServerless.Storage;

namespace DicomServerless.Functional.Storage;

[Collection(AzuriteCollection.Name)]
public sealed class AzureBlobTests(AzuriteFixture azurite) : BlobContract
{
    protected override async Task<IBlobContainer> ContainerAsync()
    {
        var container = azurite.Account.BlobContainer(AzuriteFixture.NewName());
        await container.CreateIfAbsentAsync(default);
        return container;
    }
}
