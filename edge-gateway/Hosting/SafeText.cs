using System.Text;

namespace DicomServerless.EdgeGateway.Hosting;

/// <summary>Texts for the log that peers or paths could spoil.</summary>
internal static class SafeText
{
    private const int Longest = 200;

    /// <summary>What an exception is and where it came from, without its message: that may hold a path of the spool, and so a Study Instance UID.</summary>
    public static string Of(Exception exception)
    {
        var text = new StringBuilder();
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (text.Length > 0) text.Append(" <- ");
            text.Append(cause.GetType().Name);
            if (cause is IOException or System.ComponentModel.Win32Exception)
                text.Append(System.Globalization.CultureInfo.InvariantCulture, $" (0x{cause.HResult:X8})");
        }
        // The methods only: the stack of a debug build names source files, which is of no use to an operator.
        foreach (var line in (exception.StackTrace ?? "").Split('\n').Take(8)) text.Append(" | ").Append(line.Trim().Split(" in ")[0]);
        return text.ToString();
    }

    /// <summary>A text that a peer chose, such as an AE title, without control characters: a terminal would obey them.</summary>
    public static string Of(string text) =>
        string.Concat((text.Length > Longest ? text[..Longest] : text).Select(character => char.IsControl(character) ? '?' : character));
}
