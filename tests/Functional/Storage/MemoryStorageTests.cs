using DicomServerless.Shared;
using DicomServerless.Storage;

namespace DicomServerless.Functional.Storage;

/// <summary>The stores in memory, on which the archive's model tests stand, keep the same contract as the real ones.</summary>
public sealed class MemoryTableTests : TableContract
{
    protected override Task<ITable> TableAsync() => Task.FromResult<ITable>(new MemoryTable(new MemoryTableState("rows"), _ => Task.CompletedTask));
}

/// <inheritdoc cref="MemoryTableTests"/>
public sealed class MemoryBlobTests : BlobContract
{
    protected override Task<IBlobContainer> ContainerAsync() =>
        Task.FromResult<IBlobContainer>(new MemoryBlobs(new MemoryBlobState("blobs", TimeProvider.System), _ => Task.CompletedTask));
}
