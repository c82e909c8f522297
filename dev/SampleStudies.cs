using System.Diagnostics;
using System.Text.Json;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using Spectre.Console;

namespace DicomServerless.Dev;

/// <summary>Sends the sample studies through the gateway and shows what QIDO-RS returns.</summary>
internal sealed class SampleStudies(DevOptions options, HttpClient http)
{
    private static readonly TimeSpan ForwardTime = TimeSpan.FromSeconds(60);
    private static readonly string[] Columns = ["00100010", "00100020", "00080020", "00080061", "00081030", "00201206", "00201208"];

    public async Task SendAsync(CancellationToken cancellationToken)
    {
        var files = Directory.EnumerateFiles(Folders.Samples, "*.dcm", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
        await AnsiConsole.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn()).StartAsync(async progress =>
        {
            var task = progress.AddTask($"Sending {files.Length} sample objects by C-STORE", maxValue: files.Length);
            var client = new AssociationClient(new AssociationOptions(), TimeProvider.System);
            await using var association = await client.ConnectAsync(new RemoteAe("127.0.0.1", options.DimsePort, "DICOMGW", "DEV"),
                await ContextsAsync(files, cancellationToken), cancellationToken);
            foreach (var file in files)
            {
                await SendAsync(association, file, cancellationToken);
                task.Increment(1);
            }
            await association.ReleaseAsync(cancellationToken);
            await WaitForArchiveAsync(cancellationToken);
        });
    }

    public async Task ShowAsync(CancellationToken cancellationToken)
    {
        using var response = await http.GetAsync($"{options.DicomWebUrl}/studies?includefield=00081030&limit=20", cancellationToken);
        response.EnsureSuccessStatusCode();
        var table = new Table().Title("Studies (QIDO-RS)").AddColumns("Patient", "ID", "Date", "Modalities", "Description", "Series", "Instances");
        if (response.StatusCode == System.Net.HttpStatusCode.OK)
        {
            using var studies = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
            foreach (var study in studies.RootElement.EnumerateArray())
                table.AddRow(Columns.Select(tag => Markup.Escape(Text(study, tag))).ToArray());
        }
        AnsiConsole.Write(table);
    }

    // As a modality does: one association, a context for each SOP class and transfer syntax.
    private async Task SendAsync(Association association, string path, CancellationToken cancellationToken)
    {
        await using var stream = File.OpenRead(path);
        var (file, _) = await Part10Stream.OpenAsync(stream, cancellationToken);
        if (file is not { Meta: { MediaStorageSopClass: { } sopClass, MediaStorageSopInstance: { } sop } })
            throw new StartException($"{path} is no DICOM file; restore it.");
        var context = association.FindContext(sopClass, file.TransferSyntax.Uid)
            ?? throw new StartException($"The gateway does not take {file.TransferSyntax.Name}, as {path} is stored.");
        var response = await association.StoreAsync(DimseCommand.CStore(association.NextMessageId(), sopClass, sop), context, file.DataSet, cancellationToken);
        if (!DimseStatus.IsDone(response.Status)) throw new StartException($"The gateway refused {path} with status {response.Status:X4}: "
            + $"{response.ErrorComment}. Its log is {Path.Combine(options.Data, "gateway.log")}.");
    }

    private static async Task<List<ContextProposal>> ContextsAsync(IEnumerable<string> paths, CancellationToken cancellationToken)
    {
        var contexts = new HashSet<(Uid SopClass, Uid TransferSyntax)>();
        foreach (var path in paths)
        {
            await using var stream = File.OpenRead(path);
            var (file, _) = await Part10Stream.OpenAsync(stream, cancellationToken);
            if (file?.Meta.MediaStorageSopClass is { } sopClass) contexts.Add((sopClass, file.TransferSyntax.Uid));
        }
        return [.. contexts.Select(context => new ContextProposal(context.SopClass, [context.TransferSyntax]))];
    }

    // What the gateway has is safe; that the archive has it too is seen here.
    private async Task WaitForArchiveAsync(CancellationToken cancellationToken)
    {
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < ForwardTime; await Task.Delay(100, cancellationToken))
        {
            var destination = JsonDocument.Parse(await http.GetStringAsync(options.DashboardUrl + "/api/status", cancellationToken))
                .RootElement.GetProperty("destinations")[0];
            if (destination.GetProperty("waiting").GetInt32() == 0) return;
        }
        throw new StartException($"The gateway has the samples, but the archive has not taken them. The log is {Path.Combine(options.Data, "gateway.log")}.");
    }

    private static string Text(JsonElement study, string tag)
    {
        if (!study.TryGetProperty(tag, out var attribute) || !attribute.TryGetProperty("Value", out var values)) return "";
        return string.Join(", ", values.EnumerateArray().Select(value =>
            value.ValueKind == JsonValueKind.Object ? (value.TryGetProperty("Alphabetic", out var name) ? name.GetString() : "") : value.ToString()));
    }
}
