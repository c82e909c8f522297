using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>
/// The file system calls of the spool, on the Linux C library: .NET has no directory flush, no hard links, no rename that never replaces, and its file handles
/// cost three more system calls for each file. Every method gives the error number, 0 for success.
/// </summary>
internal static partial class Posix
{
    public const int NotFound = 2, Interrupted = 4, Exists = 17, InvalidArgument = 22, NoSpace = 28, ReadOnly = 30, NotEmpty = 39, QuotaExceeded = 122;

    private const int WriteOnly = 1, Create = 0x40, Exclusive = 0x80, CloseOnExec = 0x80000, AtCurrentFolder = -100;
    private const uint NoReplace = 1;

    // O_DIRECTORY is one of the flags that differ between processors.
    private static readonly int Directory = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x4000 : 0x10000;

    /// <summary>A new file (0600) for writing; never one that exists.</summary>
    public static int CreateFile(string path, out SafeFileHandle file)
    {
        return OpenAgain(path, WriteOnly | Create | Exclusive | CloseOnExec, 0x180, out file);
    }

    public static unsafe int WriteAll(SafeFileHandle file, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            nint written;
            fixed (byte* start = bytes) written = Write(file, start, bytes.Length);
            if (written < 0)
            {
                var error = Marshal.GetLastPInvokeError();
                if (error != Interrupted) return error;
                continue;
            }
            bytes = bytes[(int)written..];
        }
        return 0;
    }

    /// <summary>
    /// Flushes data and what is needed to find them. Never asked twice after a failure: the kernel has dropped the pages by then and would report success.
    /// </summary>
    /// <remarks>A flush that a signal interrupted has reported nothing and is made again.</remarks>
    public static int Flush(SafeFileHandle file)
    {
        while (true)
        {
            var error = Fsync(file) == 0 ? 0 : Marshal.GetLastPInvokeError();
            if (error != Interrupted) return error;
        }
    }

    /// <summary>Flushes the names in a folder.</summary>
    public static int FlushFolder(string path)
    {
        var error = OpenAgain(path, Directory | CloseOnExec, 0, out var folder);
        using (folder) return error != 0 ? error : Flush(folder);
    }

    /// <summary>Flushes everything on the file system that holds the folder.</summary>
    public static int FlushFileSystem(string path)
    {
        var error = OpenAgain(path, Directory | CloseOnExec, 0, out var folder);
        using (folder)
        {
            if (error != 0) return error;
            return Syncfs(folder) == 0 ? 0 : Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>A second name for a file.</summary>
    public static int AddName(string existing, string added) => Link(existing, added) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>Renames; never over an existing name.</summary>
    public static int Move(string from, string to)
    {
        if (Renameat2(AtCurrentFolder, from, AtCurrentFolder, to, NoReplace) == 0) return 0;
        var error = Marshal.GetLastPInvokeError();
        if (error != InvalidArgument) return error;
        // A file system without RENAME_NOREPLACE (NFS): link fails on an existing name too.
        error = AddName(from, to);
        return error != 0 ? error : Remove(from);
    }

    public static int Remove(string path) => Unlink(path) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>A new folder (0700). One that exists is no error.</summary>
    public static int CreateFolder(string path) => Mkdir(path, 0x1C0) == 0 || Marshal.GetLastPInvokeError() == Exists ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>Removes a folder if it is empty.</summary>
    public static int RemoveFolder(string path) => Rmdir(path) == 0 ? 0 : Marshal.GetLastPInvokeError();

    private static int OpenAgain(string path, int flags, uint mode, out SafeFileHandle file)
    {
        while (true)
        {
            file = Open(path, flags, mode);
            var error = file.IsInvalid ? Marshal.GetLastPInvokeError() : 0;
            if (error != Interrupted) return error;
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static unsafe partial nint Write(SafeFileHandle file, byte* bytes, nint count);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    private static partial int Syncfs(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string added);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Renameat2(int fromFolder, string from, int toFolder, string to, uint flags);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unlink(string path);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Mkdir(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "rmdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rmdir(string path);
}
