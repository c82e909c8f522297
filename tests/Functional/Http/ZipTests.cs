using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Text;
using DicomServerless.Dicom;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Http;

/// <summary>Studies, series and instances as a ZIP with a DICOMDIR.</summary>
public sealed class ZipTests : IAsyncLifetime
{
    private const string Instance = "/studies/1.2/series/1.2.1/instances/1.2.1.1";
    private readonly byte[] image = Server.Image("1.2", "1.2.1", "1.2.1.1").ToFile();
    private Server server = null!;

    public async ValueTask InitializeAsync() => server = await Server.StartAsync();

    public async ValueTask DisposeAsync() => await server.DisposeAsync();

    private async Task StoreAsync(params byte[][] files)
    {
        using var response = await server.StoreAsync(files);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private static async Task<byte[]> ConvertedAsync(byte[] file, TransferSyntax syntax)
    {
        using var output = new MemoryStream();
        Assert.Null(await TransferSyntaxConverter.ConvertAsync(new MemoryStream(file), output, syntax));
        return output.ToArray();
    }

    private async Task<Dictionary<string, byte[]>> FilesAsync(string path, string accept = "application/zip")
    {
        using var response = await server.GetAsync(path, accept);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/zip", response.Content.Headers.ContentType!.ToString());
        await using var zip = await ZipArchive.CreateAsync(new MemoryStream(await response.Content.ReadAsByteArrayAsync()), ZipArchiveMode.Read, false, null);
        var files = new Dictionary<string, byte[]>();
        foreach (var entry in zip.Entries)
        {
            await using var content = await entry.OpenAsync();
            using var bytes = new MemoryStream();
            await content.CopyToAsync(bytes);
            files.Add(entry.FullName, bytes.ToArray());
        }
        return files;
    }

    [Fact]
    public async Task A_study_a_series_and_an_instance_come_as_a_file_set()
    {
        var (second, other) = (Server.Image("1.2", "1.2.1", "1.2.1.2").ToFile(), Server.Image("1.2", "1.2.2", "1.2.2.1").ToFile());
        await StoreAsync(image, second, other);
        var study = await FilesAsync("/studies/1.2");
        Assert.Equal(["DICOM/SE000001/IM000001", "DICOM/SE000001/IM000002", "DICOM/SE000002/IM000001", "DICOMDIR"], study.Keys);
        Assert.Equal([image, second, other], study.Values.Take(3));
        Assert.Equal(3, (await FilesAsync("/studies/1.2/series/1.2.1")).Count);
        Assert.Equal(2, (await FilesAsync(Instance)).Count);
        Assert.Equal(2, (await FilesAsync(Instance + "?accept=application/zip", "text/html")).Count);
        using var head = await server.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, $"/dicomweb{Instance}?accept=application/zip"));
        Assert.Equal("attachment; filename=1.2.1.1.zip", head.Content.Headers.ContentDisposition!.ToString().Replace("\"", ""));
        Assert.Equal("application/zip", head.Content.Headers.ContentType!.ToString());
        foreach (var accept in new[] { "*/*", "text/html,application/xhtml+xml,*/*;q=0.8" })
        {
            using var any = await server.GetAsync("/studies/1.2", accept);
            Assert.Equal("multipart/related", any.Content.Headers.ContentType!.MediaType);
        }
    }

    [Fact]
    public async Task The_same_objects_make_the_same_bytes_which_unzip_finds_whole()
    {
        await StoreAsync(image, RetrieveTests.Compressed("1.2", "1.2.2", "1.2.2.1"));
        using var first = await server.GetAsync("/studies/1.2", "application/zip");
        using var again = await server.GetAsync("/studies/1.2", "application/zip");
        var bytes = await first.Content.ReadAsByteArrayAsync();
        Assert.Equal(bytes, await again.Content.ReadAsByteArrayAsync());
        if (!Peers.Require("unzip")) return;
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(file, bytes);
            using var process = Process.Start(new ProcessStartInfo("unzip", ["-t", file]) { RedirectStandardOutput = true })!;
            var output = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            Assert.True(process.ExitCode == 0 && output.Contains("No errors detected", StringComparison.Ordinal), output);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Uncompressed_files_are_explicit_little_endian_unless_another_syntax_is_asked_for()
    {
        var stored = await ConvertedAsync(image, TransferSyntax.ImplicitVrLittleEndian);
        var big = await ConvertedAsync(Server.Image("1.2", "1.2.1", "1.2.1.2").ToFile(), TransferSyntax.ExplicitVrBigEndian);
        var deflated = await ConvertedAsync(Server.Image("1.2", "1.2.1", "1.2.1.3").ToFile(), TransferSyntax.DeflatedExplicitVrLittleEndian);
        var compressed = RetrieveTests.Compressed("1.2", "1.2.1", "1.2.1.4");
        await StoreAsync(stored, big, deflated, compressed);
        var files = await FilesAsync("/studies/1.2");
        Assert.Equal(["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.50"],
            files.Values.Take(4).Select(Syntax).Order(StringComparer.Ordinal));
        Assert.Contains(compressed, files.Values);
        var asStored = await FilesAsync("/studies/1.2", "application/zip; transfer-syntax=*");
        foreach (var file in new[] { stored, big, deflated, compressed }) Assert.Contains(file, asStored.Values);
        Assert.All((await FilesAsync(Instance, "application/zip; transfer-syntax=1.2.840.10008.1.2.1.99")).Where(file => file.Key != "DICOMDIR"), file =>
            Assert.Equal("1.2.840.10008.1.2.1.99", Syntax(file.Value)));
        // A ZIP outlives its status: it is whole, or it is not given.
        await Server.AssertProblemAsync(HttpStatusCode.NotAcceptable,
            await server.GetAsync("/studies/1.2", "application/zip; transfer-syntax=1.2.840.10008.1.2.1"), "1 of 4");
    }

    private static string Syntax(byte[] file)
    {
        using var scanner = new InstanceScanner();
        scanner.Push(file);
        scanner.Complete();
        return scanner.Result!.FileMeta.TransferSyntax!.Value.Value;
    }

    [Fact]
    public Task A_zip_starts_before_the_study_is_read_and_reading_stops_when_the_client_leaves() =>
        Streaming.AssertAsync("/studies/1.2", "application/zip", 60);

    [Fact]
    public async Task What_cannot_be_read_on_the_way_cuts_the_connection()
    {
        var isBroken = false;
        await using var failing = await Server.StartAsync(step: what => isBroken && what.StartsWith("read ", StringComparison.Ordinal)
            && what.EndsWith("1.2.1.9.dcm", StringComparison.Ordinal) ? throw new IOException("The disk is gone.") : Task.CompletedTask);
        for (var i = 1; i <= 9; i++)
            Assert.Equal(HttpStatusCode.OK,
                (await failing.StoreAsync(Server.Image("1.2", "1.2.1", $"1.2.1.{i}").Add(0x00091001, "OB", new byte[100_000]).ToFile())).StatusCode);
        isBroken = true;
        using var response = await failing.GetAsync("/studies/1.2", "application/zip");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await Assert.ThrowsAnyAsync<Exception>(() => response.Content.ReadAsByteArrayAsync());
        using var objects = await failing.GetAsync("/studies/1.2/series/1.2.1/instances/1.2.1.8", "application/zip");
        await objects.Content.ReadAsByteArrayAsync();
    }

    [Fact]
    public async Task Names_of_patients_are_in_the_directory_only()
    {
        await StoreAsync(image);
        using var response = await server.GetAsync("/studies/1.2", "application/zip");
        Assert.DoesNotContain("SMITH", response.ToString() + response.Content.Headers, StringComparison.Ordinal);
        var files = await FilesAsync("/studies/1.2");
        Assert.Contains("SMITH^ANNE", Encoding.ASCII.GetString(files["DICOMDIR"]));
    }
}
