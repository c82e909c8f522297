using System.Net;
using System.Text;
using System.Text.Json;
using DicomServerless.Dicom;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway;

/// <summary>Orthanc as SCU and SCP, GDCM as SCU and SCP, and objects that pydicom wrote, against the whole system.</summary>
public sealed class InteropOrthancTests(GatewaySystem system) : IClassFixture<GatewaySystem>
{
    private const string Orthanc = "Orthanc";

    [Fact]
    public async Task Orthanc_stores_queries_retrieves_and_is_a_destination()
    {
        if (!Peers.Require(Orthanc)) return;
        var folder = Directory.CreateTempSubdirectory("orthanc");
        var web = FreePorts.Next();
        var file = Path.Combine(folder.FullName, "orthanc.json");
        await File.WriteAllTextAsync(file, $$"""
            {"Name":"test","HttpPort":{{web}},"DicomPort":{{system.Remotes["ORTHANC"]}},"DicomAet":"ORTHANC",
            "StorageDirectory":"{{folder.FullName}}/db","IndexDirectory":"{{folder.FullName}}/db",
             "AuthenticationEnabled":false,"RemoteAccessAllowed":true,"SaveJobs":false,"Plugins":[],"DicomModalities":{"gateway":["DICOMGW",
             "127.0.0.1",{{system.Gateway.DimsePort}}] }
            }
            """);
        try
        {
            await using var orthanc = await Program.StartAsync(Orthanc, web, file);
            var root = $"http://127.0.0.1:{web}";
            var study = system.NewStudy();

            // SCU: what Orthanc has goes to the archive.
            var ids = new List<string>();
            for (var i = 1; i <= 3; i++)
                ids.Add((await PostAsync($"{root}/instances", GatewaySystem.Object(study, i).ToFile())).GetProperty("ID").GetString()!);
            await PostAsync($"{root}/modalities/gateway/echo", "{}");
            await PostAsync($"{root}/modalities/gateway/store", JsonSerializer.Serialize(ids, JsonContext.Default.ListString));
            await system.Gateway.WaitUntilDrainedAsync();
            for (var i = 1; i <= 3; i++)
                Assert.Equal(GatewaySystem.Object(study, i).DataSet(),
                    await WadoDataSet.GetAsync(system.Http, system.DicomWeb, study, $"{study}.1", $"{study}.1.{i}"));

            // C-FIND and C-MOVE back to itself.
            foreach (var id in ids) using (await system.Http.DeleteAsync($"{root}/instances/{id}")) { }
            var query = (await PostAsync($"{root}/modalities/gateway/query", $$"""{"Level":"Study","Query":{"StudyInstanceUID":"{{study}}"} }"""))
                .GetProperty("ID").GetString();
            using (var answers = JsonDocument.Parse(await system.Http.GetStringAsync($"{root}/queries/{query}/answers")))
                Assert.Equal(1, answers.RootElement.GetArrayLength());
            await PostAsync($"{root}/queries/{query}/retrieve", "ORTHANC");
            Assert.Equal(3, await CountAsync(root));

            // SCP: somebody else sends them there.
            foreach (var id in ids) using (await system.Http.DeleteAsync($"{root}/instances/{id}")) { }
            Assert.Equal(0, await CountAsync(root));
            Assert.Equal(0, (await Query.MoveAsync(system.Gateway, study, "ORTHANC")).Command.Status);
            Assert.Equal(3, await CountAsync(root));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Gdcm_echoes_stores_finds_and_moves()
    {
        if (!Peers.Require("gdcmscu")) return;
        var folder = Directory.CreateTempSubdirectory("gdcm");
        try
        {
            var study = system.NewStudy();
            string[] at = ["127.0.0.1", $"{system.Gateway.DimsePort}", "--call", "DICOMGW", "--aetitle", "GDCM"];
            await GdcmAsync(["--echo", .. at]);
            for (var i = 1; i <= 3; i++)
            {
                var file = Path.Combine(folder.FullName, $"{i}.dcm");
                await File.WriteAllBytesAsync(file, GatewaySystem.Object(study, i, study).ToFile());
                await GdcmAsync(["--store", .. at, "-i", file]);
            }
            await system.Gateway.WaitUntilDrainedAsync();
            for (var i = 1; i <= 3; i++)
                Assert.Equal(GatewaySystem.Object(study, i, study).DataSet(),
                    await WadoDataSet.GetAsync(system.Http, system.DicomWeb, study, $"{study}.1", $"{study}.1.{i}"));
            var found = await GdcmAsync(["--find", "--studyroot", "--study", .. at, "--key", $"20,d,{study}", "--key", "10,10"]);
            Assert.Contains("C-Find was successful.", found, StringComparison.Ordinal);
            var output = folder.CreateSubdirectory("moved");
            await GdcmAsync(["--move", "--studyroot", "--study", .. at, "--key",
                $"20,d,{study}", "--port-scp", $"{system.Remotes["GDCM"]}", "-o", output.FullName]);
            Assert.Equal(3, output.GetFiles().Length);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // gdcmscu 3.0.21 (Debian 12) aborts once its release is answered, whomever it called: it wants the stream that it has just closed. By then all its work is
    // done.
    private static async Task<string> GdcmAsync(params string[] arguments)
    {
        var (exit, output) = await Functional.Network.Scp.RunAsync("gdcmscu", [.. arguments, "--debug"]);
        Assert.True(exit == 0 || output.TrimEnd().EndsWith("ProtocolStream as nullptr is invalid", StringComparison.Ordinal),
            $"gdcmscu {string.Join(' ', arguments)} ended with {exit}:\n{output}");
        Assert.Contains("Received ItemType #6", output, StringComparison.Ordinal); // A-RELEASE-RP, PS3.8 9.3.7
        return output;
    }

    [Fact]
    public async Task Objects_that_pydicom_wrote_arrive_bit_for_bit()
    {
        if (!Peers.RequirePython("pydicom")) return;
        var folder = Directory.CreateTempSubdirectory("pydicom");
        try
        {
            var study = system.NewStudy();
            await GatewaySystem.RunAsync(0, Peers.Python, Path.Combine(Repository.Root, "tests/Functional/Gateway/pydicom_objects.py"), folder.FullName, study);
            foreach (var file in folder.GetFiles().OrderBy(file => file.Name))
            {
                var bytes = await File.ReadAllBytesAsync(file.FullName);
                using var scanner = new InstanceScanner();
                scanner.Push(bytes);
                scanner.Complete();
                var scan = scanner.Result!;
                await using var association = await Modality.ConnectAsync(system.Gateway, Modality.Storage(transferSyntax: scan.TransferSyntax.Uid.Value));
                var sent = WadoDataSet.DataSetOf(bytes);
                Assert.Equal(0, await Modality.StoreAsync(association, sent, scan.Uids.SopInstance.Value));
                await association.ReleaseAsync(default);
                await system.Gateway.WaitUntilDrainedAsync();
                Assert.Equal(sent, await WadoDataSet.GetAsync(system.Http, system.DicomWeb, study, study + ".1", scan.Uids.SopInstance.Value));
            }
            Assert.Equal(4, folder.GetFiles().Length);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private async Task<int> CountAsync(string root)
    {
        using var json = JsonDocument.Parse(await system.Http.GetStringAsync(root + "/instances"));
        return json.RootElement.GetArrayLength();
    }

    private Task<JsonElement> PostAsync(string url, string body) => PostAsync(url, Encoding.UTF8.GetBytes(body));

    private async Task<JsonElement> PostAsync(string url, byte[] body)
    {
        using var answer = await system.Http.PostAsync(url, new ByteArrayContent(body));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{url}: {answer.StatusCode} {text}\n{system.Gateway.Output}");
        using var json = JsonDocument.Parse(text.Length > 0 ? text : "{}");
        return json.RootElement.Clone();
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(List<string>))]
internal sealed partial class JsonContext : System.Text.Json.Serialization.JsonSerializerContext;
