using System.Diagnostics;
using System.Net.Http.Headers;
using DicomServerless.Shared;

namespace DicomServerless.Viewer;

/// <summary>dev with its own samples and those of these tests, stored over HTTP; the same for all tests.</summary>
public sealed class ViewerSystem : IAsyncLifetime
{
    private DevProcess? dev;

    /// <summary>Whether what these tests need is there.</summary>
    public bool IsThere { get; private set; }

    public string Url => dev!.Url;

    /// <summary>Where pages of another origin may lie that may call the service.</summary>
    public int OtherPort { get; } = FreePorts.Next();

    public async ValueTask InitializeAsync()
    {
        if (!Peers.Require(Chromium.Program) || !Peers.RequirePython("pydicom")) return;
        await NodePackages.InstallAsync();
        var folder = Directory.CreateTempSubdirectory("viewer-samples-");
        var tests = Path.Combine(Repository.Root, "tests/Viewer");
        using (var python = Process.Start(Peers.Python,
            [Path.Combine(tests, "samples.py"), Path.Combine(tests, "Samples"), Path.Combine(Repository.Root, "dev/samples/ct/ct-image.dcm"), folder.FullName]))
        {
            await python.WaitForExitAsync();
            if (python.ExitCode != 0) throw new InvalidOperationException("samples.py failed.");
        }
        dev = new DevProcess(environment: ("Http__CorsOrigins", $"http://127.0.0.1:{OtherPort}"));
        if (!await dev.SaysAsync("Ready", TimeSpan.FromMinutes(4))) throw new InvalidOperationException(dev.Output);
        using var http = new HttpClient();
        foreach (var file in folder.EnumerateFiles())
        {
            using var content = new ByteArrayContent(await File.ReadAllBytesAsync(file.FullName))
                { Headers = { ContentType = new MediaTypeHeaderValue("application/dicom") } };
            using var answer = await http.PostAsync(Url + "/dicomweb/studies", content);
            if (!answer.IsSuccessStatusCode)
                throw new InvalidOperationException($"{file.Name}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        }
        folder.Delete(recursive: true);
        IsThere = true;
    }

    public ValueTask DisposeAsync()
    {
        dev?.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>One system for all tests, one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class ViewerTests : ICollectionFixture<ViewerSystem>
{
    public const string Name = "Viewer";
}
