using DicomServerless.Dicom.Web;
using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using DicomServerless.Functional.Http;
using DicomServerless.Shared;
using DicomServerless.Shared.Worker;

namespace DicomServerless.Functional.Package;

/// <summary>The package that is deployed: made as for a deployment, unpacked as the platform unpacks it, and run under what the Functions host does.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class PackageTests(ITestOutputHelper output)
{
    [Fact]
    public async Task The_published_package_runs_and_stores_finds_and_returns_an_object()
    {
        var folder = Directory.CreateTempSubdirectory("package-");
        try
        {
            var zip = Path.Combine(folder.FullName, "functions.zip");
            var watch = Stopwatch.StartNew();
            output.WriteLine($"{(await RunAsync("bash", Path.Combine(Repository.Root, "infra/publish.sh"), zip)).Trim().Split('\n')[^1]} in "
                + $"{watch.Elapsed.TotalSeconds:F0} s");

            var root = Path.Combine(folder.FullName, "wwwroot");
            await ZipFile.ExtractToDirectoryAsync(zip, root);
            foreach (var part in new[] { "host.json", "worker.config.json", "functions.metadata", "extensions.json", "appsettings.json",
                "DicomServerless.Functions.dll", "LICENSE", "THIRD-PARTY-NOTICES", "viewer/index.html", ".azurefunctions/function.deps.json" })
                Assert.True(File.Exists(Path.Combine(root, part)), part);
            // A bundle of extensions would be looked up, and is not used by a worker of this kind.
            Assert.DoesNotContain("extensionBundle", await File.ReadAllTextAsync(Path.Combine(root, "host.json")), StringComparison.Ordinal);

            using var azurite = await Azurite.StartAsync();
            await using var host = await WorkerHost.StartAsync(Path.Combine(root, "DicomServerless.Functions.dll"), new Dictionary<string, string>
                { ["DataStorage"] = azurite.ConnectionString, ["EVENTS_QUEUE"] = "dicom-events", ["SWEEP_CRON"] = "0 * * * * *" });
            using var client = new HttpClient { BaseAddress = new Uri(host.Url) };
            var file = await File.ReadAllBytesAsync(Path.Combine(Repository.Root, "tests/Samples/ct-small.dcm"));
            using var content = new ByteArrayContent(file) { Headers = { ContentType = new MediaTypeHeaderValue("application/dicom") } };
            using var stored = await client.PostAsync("/dicomweb/studies", content);
            Assert.True(stored.StatusCode is HttpStatusCode.OK or HttpStatusCode.Accepted,
                $"{(int)stored.StatusCode} {await stored.Content.ReadAsStringAsync()}\n{host.Output}");
            using var found = await client.GetAsync("/dicomweb/instances");
            Assert.Equal(HttpStatusCode.OK, found.StatusCode);
            var results = await Server.JsonAsync(found);
            Assert.Equal(1, results.GetArrayLength());
            using var request = new HttpRequestMessage(HttpMethod.Get, results[0].GetProperty("00081190").GetProperty("Value")[0].GetString());
            request.Headers.TryAddWithoutValidation("Accept", "multipart/related; type=\"application/dicom\"; transfer-syntax=*");
            using var returned = await client.SendAsync(request);
            Assert.Equal(file, Assert.Single(await Server.PartsAsync(returned)).Content);
            output.WriteLine($"Ready after {host.StartTime.TotalMilliseconds:F0} ms; {file.Length} bytes stored, found and returned.");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (said, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await said + await errors);
        return await said;
    }
}
