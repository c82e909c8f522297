namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>Small files beside the objects, such as the reason of a quarantine, that survive a power cut.</summary>
internal static class DurableFile
{
    /// <summary>
    /// Writes a whole new file (0600) and flushes it. Its name is durable when its folder is flushed, which is left to the caller. A file that could not be
    /// written whole is removed again.
    /// </summary>
    /// <returns>The error number, 0 for success.</returns>
    public static int Write(string path, ReadOnlySpan<byte> content)
    {
        var error = Posix.CreateFile(path, out var file);
        using (file)
        {
            if (error != 0) return error;
            error = Posix.WriteAll(file, content);
            if (error == 0) error = Posix.Flush(file);
        }
        if (error != 0) Posix.Remove(path);
        return error;
    }
}
