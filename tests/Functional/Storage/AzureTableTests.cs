using DicomServerless.Storage;
using DicomServerless.Storage.Azure;

namespace DicomServerless.Functional.Storage;

[Collection(AzuriteCollection.Name)]
public sealed class AzureTableTests(AzuriteFixture azurite) : TableContract
{
    protected override async Task<ITable> TableAsync()
    {
        var table = azurite.Account.Table(AzuriteFixture.NewName());
        await table.CreateIfAbsentAsync(default);
        return table;
    }
}
