using DicomServerless.Shared;
using DicomServerless.Storage.Azure;

namespace DicomServerless.Functional;

/// <summary>One emulator for all classes of the collection; or the real account that DICOMSERVERLESS_TEST_STORAGE names.</summary>
public sealed class AzuriteFixture : IAsyncLifetime
{
    private static readonly string? RealAccount = Environment.GetEnvironmentVariable("DICOMSERVERLESS_TEST_STORAGE");
    private Azurite? azurite;

    /// <summary>Whether this is the emulator, which differs from the service in places that tests name.</summary>
    public bool IsEmulator => azurite is not null;
    public string ConnectionString => azurite?.ConnectionString ?? RealAccount!;
    public AzureStorageAccount Account { get; private set; } = null!;

    public AzureStorageAccount Connect(Action<StorageTransaction> onTransaction) =>
        new(new AzureStorageOptions { ConnectionString = ConnectionString, OnTransaction = onTransaction });

    /// <summary>A name that is valid for containers, tables and queues, and new.</summary>
    public static string NewName() => "t" + Guid.NewGuid().ToString("N");

    public async ValueTask InitializeAsync()
    {
        if (RealAccount is null) azurite = await Azurite.StartAsync();
        Account = new AzureStorageAccount(new AzureStorageOptions { ConnectionString = ConnectionString });
    }

    public ValueTask DisposeAsync()
    {
        azurite?.Dispose();
        return ValueTask.CompletedTask;
    }
}

[CollectionDefinition(Name)]
public sealed class AzuriteCollection : ICollectionFixture<AzuriteFixture>
{
    public const string Name = "Azurite";
}
