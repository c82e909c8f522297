using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using DicomServerless.Functional.Http;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Interop;

/// <summary>Programs of others as clients of the service: the library under OHIF, curl as the documentation shows it, and Orthanc.</summary>
public sealed partial class ClientTests(ITestOutputHelper output)
{
    private const string Orthanc = "Orthanc", DicomWebPlugin = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so";

    private static string Samples => Path.Combine(Repository.Root, "dev/samples");

    [Fact]
    public async Task Dicomweb_client_stores_searches_and_retrieves()
    {
        await NodePackages.InstallAsync();
        await using var server = await Server.StartAsync();
        output.WriteLine(await RunAsync("node", Path.Combine(Repository.Root, "tests/Functional/Interop/dicomweb-client.mjs"), server.Base, NodePackages.Folder,
            Path.Combine(Samples, "ct/ct-image.dcm"), Path.Combine(Samples, "colour/ultrasound-jpeg2000.dcm"),
                Path.Combine(Repository.Root, "tests/Viewer/Samples/pdf.dcm")));
    }

    [GeneratedRegex("```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [Fact]
    public async Task Every_curl_recipe_of_the_documentation_works_in_its_order()
    {
        if (!Peers.Require("curl")) return;
        await using var server = await Server.StartAsync();
        var folder = Directory.CreateTempSubdirectory("recipes-");
        var blocks = Block().Matches(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs/dicomweb.md")))
            .Select(match => match.Groups[1].Value).ToList();
        Assert.True(blocks.Count >= 8, $"{blocks.Count} recipes");
        // Run in a folder of their own, beside the samples that they name.
        File.CreateSymbolicLink(Path.Combine(folder.FullName, "dev"), Path.Combine(Repository.Root, "dev"));
        var script = "set -euo pipefail\ncurl() { command curl -fsS \"$@\"; }\n" + string.Join("\necho\n", blocks)
            .Replace("http://127.0.0.1:7071/dicomweb", server.Base, StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "recipes.sh"), script);
        using var bash = Process.Start(new ProcessStartInfo("bash", ["-x", "recipes.sh"])
            { WorkingDirectory = folder.FullName, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = bash.StandardOutput.ReadToEndAsync();
        var errors = await bash.StandardError.ReadToEndAsync();
        await bash.WaitForExitAsync();
        Assert.True(bash.ExitCode == 0, errors + await said);
        output.WriteLine($"{blocks.Count} recipes");
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Orthanc_queries_retrieves_and_stores_as_a_dicomweb_client()
    {
        if (!Peers.Require(Orthanc) || !Peers.Require(DicomWebPlugin)) return;
        await using var server = await Server.StartAsync();
        var folder = Directory.CreateTempSubdirectory("orthanc-");
        var (web, dicom) = (FreePorts.Next(), FreePorts.Next());
        var file = Path.Combine(folder.FullName, "orthanc.json");
        await File.WriteAllTextAsync(file, $$"""
            {"Name":"test","HttpPort":{{web}},"DicomPort":{{dicom}},"StorageDirectory":"{{folder.FullName}}/db",
            "IndexDirectory":"{{folder.FullName}}/db","AuthenticationEnabled":false,"RemoteAccessAllowed":true,
             "SaveJobs":false,"Plugins":["{{DicomWebPlugin}}"],"DicomWeb":{"Enable":true,"Servers":{"archive":{"Url":"{{server.Base}}/","HasDelete":true} } } }
            """);
        await using (await Gateway.Program.StartAsync(Orthanc, web, file))
        {
            using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{web}") };
            // What Orthanc has goes to the archive.
            var files = Directory.EnumerateFiles(Path.Combine(Samples, "mr"), "*.dcm").Append(Path.Combine(Samples, "colour/ultrasound-jpeg2000.dcm")).ToList();
            var ids = new List<string>();
            foreach (var sample in files)
                ids.Add((await PostAsync(http, "/instances", new ByteArrayContent(await File.ReadAllBytesAsync(sample)))).GetProperty("ID").GetString()!);
            await PostAsync(http, "/dicom-web/servers/archive/stow",
                Json($$"""{"Resources":[{{string.Join(',', ids.Select(id => $"\"{id}\""))}}],"Synchronous":true}"""));
            using (var stored = await server.GetAsync("/instances")) Assert.Equal(files.Count, (await Server.JsonAsync(stored)).GetArrayLength());

            // It finds what is there. (Asked for what is not, this release takes 204 without a body for an error.)
            var studies = await PostAsync(http, "/dicom-web/servers/archive/qido",
                Json("""{"Uri":"/studies","Arguments":{"ModalitiesInStudy":"MR","00081030":"Research*"}}"""));
            var study = Assert.Single(studies.EnumerateArray()).GetProperty("0020000D").GetProperty("Value").GetString()!;

            // And takes it back, once it has forgotten it.
            foreach (var id in ids) using (await http.DeleteAsync("/instances/" + id)) { }
            await PostAsync(http, "/dicom-web/servers/archive/retrieve", Json($$"""{"Resources":[{"Study":"{{study}}"}],"Synchronous":true}"""));
            var back = JsonDocument.Parse(await http.GetStringAsync("/instances")).RootElement;
            Assert.Equal(8, back.GetArrayLength());
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{files.Count} stored, {back.GetArrayLength()} of a study retrieved"));
        }
        folder.Delete(recursive: true);
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private static async Task<JsonElement> PostAsync(HttpClient http, string path, HttpContent content)
    {
        using (content)
        using (var response = await http.PostAsync(path, content))
        {
            var text = await response.Content.ReadAsStringAsync();
            Assert.True(response.IsSuccessStatusCode, $"{path}: {(int)response.StatusCode} {text}");
            return text.Length == 0 ? default : JsonDocument.Parse(text).RootElement;
        }
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (said, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors + await said);
        return (await said).Trim();
    }
}
