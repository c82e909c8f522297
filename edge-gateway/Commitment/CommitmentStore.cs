using System.Text.Json;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Commitment;

/// <summary>Open requests, one file each, so that a restart forgets none: a modality may erase its copy only on our word, and waits for it.</summary>
internal sealed class CommitmentStore(string folder, ILogger<CommitmentStore> log)
{
    private const string Extension = ".json";

    /// <summary>The open requests, the oldest first. What cannot be read is left alone: one bad file must not keep the gateway from its work.</summary>
    public List<CommitmentRequest> Load()
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var found = new List<CommitmentRequest>();
        foreach (var path in Directory.EnumerateFiles(folder, "*" + Extension))
        {
            try
            {
                if (JsonSerializer.Deserialize(File.ReadAllBytes(path), CommitmentJson.Default.CommitmentRequest) is { } request) found.Add(request);
            }
            // A file that is no request is not ours: one of ours is renamed into place only when it is whole.
            catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
            {
                GatewayLog.CommitmentUnreadable(log, Path.GetFileName(path), SafeText.Of(exception));
            }
        }
        return [.. found.OrderBy(request => request.Received)];
    }

    /// <summary>Writes a request: write, flush, rename, flush of the folder, as with objects.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public void Save(CommitmentRequest request)
    {
        var (path, part) = (PathOf(request), PathOf(request) + ".part");
        Posix.Remove(part);
        var error = Posix.CreateFile(part, out var file);
        using (file)
        {
            if (error == 0) error = Posix.WriteAll(file, JsonSerializer.SerializeToUtf8Bytes(request, CommitmentJson.Default.CommitmentRequest));
            if (error == 0) error = Posix.Flush(file);
        }
        if (error != 0) throw new IOException($"A storage commitment request cannot be written: error {error}.");
        File.Move(part, path, overwrite: true);
        error = Posix.FlushFolder(folder);
        if (error != 0) throw new IOException($"The folder of the storage commitment requests cannot be flushed: error {error}.");
    }

    /// <summary>Forgets a request.</summary>
    public void Remove(CommitmentRequest request)
    {
        Posix.Remove(PathOf(request));
        Posix.FlushFolder(folder);
    }

    private string PathOf(CommitmentRequest request) => Path.Combine(folder, request.Id + Extension);
}
