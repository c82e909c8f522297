using System.Net.Http.Headers;
using System.Text.Json;
using Spectre.Console;

namespace DicomServerless.Dev;

/// <summary>Sends the sample studies by STOW-RS and shows what QIDO-RS returns.</summary>
internal sealed class SampleStudies(DevOptions options, HttpClient http)
{
    private static readonly string[] Columns = ["00100010", "00100020", "00080020", "00080061", "00081030", "00201206", "00201208"];

    public async Task SendAsync(CancellationToken cancellationToken)
    {
        var files = Directory.EnumerateFiles(Folders.Samples, "*.dcm", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
        await AnsiConsole.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn()).StartAsync(async progress =>
        {
            var task = progress.AddTask($"Sending {files.Length} sample objects by STOW-RS", maxValue: files.Length);
            foreach (var study in files.GroupBy(Path.GetDirectoryName))
            {
                await SendAsync([.. study], cancellationToken);
                task.Increment(study.Count());
            }
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

    private async Task SendAsync(string[] files, CancellationToken cancellationToken)
    {
        using var body = new MultipartContent("related", "dicomserverless-samples");
        body.Headers.ContentType!.Parameters.Add(new NameValueHeaderValue("type", "\"application/dicom\""));
        foreach (var file in files)
        {
            var part = new ByteArrayContent(await File.ReadAllBytesAsync(file, cancellationToken));
            part.Headers.ContentType = new MediaTypeHeaderValue("application/dicom");
            body.Add(part);
        }
        using var response = await http.PostAsync($"{options.DicomWebUrl}/studies", body, cancellationToken);
        // 202: stored, with a warning about what deviates in an object.
        if (response.IsSuccessStatusCode) return;
        throw new StartException($"The service refused sample objects of {Path.GetFileName(Path.GetDirectoryName(files[0]))} ({(int)response.StatusCode}). Its log is {Path.Combine(options.Data, "functions.log")}.");
    }

    private static string Text(JsonElement study, string tag)
    {
        if (!study.TryGetProperty(tag, out var attribute) || !attribute.TryGetProperty("Value", out var values)) return "";
        return string.Join(", ", values.EnumerateArray().Select(value => value.ValueKind == JsonValueKind.Object ? (value.TryGetProperty("Alphabetic", out var name) ? name.GetString() : "") : value.ToString()));
    }
}
