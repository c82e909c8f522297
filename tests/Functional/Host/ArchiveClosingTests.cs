using DicomServerless.Archive;
using DicomServerless.Functions.Hosting;
using DicomServerless.Shared;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace DicomServerless.Functional.Host;

/// <summary>The end of the program.</summary>
public sealed class ArchiveClosingTests
{
    private readonly MemoryWorld world = new(TimeProvider.System);

    [Fact]
    public async Task The_archive_is_closed_after_all_that_still_stores_while_it_stops()
    {
        var archive = new DicomArchive(world.Client(), new ArchiveOptions(), TimeProvider.System, Guid.NewGuid, NullLogger<DicomArchive>.Instance);
        var late = new StoringAtTheEnd(archive, world);
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton(archive);
        builder.Services.AddHostedService(_ => late);
        builder.Services.AddHostedService<ArchiveClosing>();
        using var host = builder.Build();
        await host.StartAsync();
        await host.StopAsync();
        Assert.True(late.HadOpenWork);
        Assert.Empty(world.Journal.Rows);
        Assert.Single(world.Studies.Rows);
    }

    private sealed class StoringAtTheEnd(DicomArchive archive, MemoryWorld world) : IHostedService
    {
        public bool HadOpenWork { get; private set; }

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public async Task StopAsync(CancellationToken cancellationToken)
        {
            await using (var batch = archive.Store.Begin(new StoreRequest(null, DuplicatePolicy.Reject, "test")))
            {
                await batch.ReceiveAsync(new MemoryStream(TestObject.Of("1.2", "1.3", "1.4").ToFile()), cancellationToken);
                await batch.CompleteAsync();
            }
            HadOpenWork = world.Journal.Rows.Count > 0;
        }
    }
}
