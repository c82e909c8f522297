using DicomServerless.Archive;
using DicomServerless.Functions.Hosting;

namespace DicomServerless.Functions.Triggers;

/// <summary>Goes on with the build of the configured query attributes; called with every sweep.</summary>
internal sealed class QueryTagJob(DicomArchive archive, Telemetry telemetry)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var run = await archive.QueryTags.RunAsync(cancellationToken);
        telemetry.QueryTagStudies.Add(run.Done);
        telemetry.QueryTagsRemaining.Record(run.Remaining);
    }
}
