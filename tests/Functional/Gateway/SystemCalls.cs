using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace DicomServerless.Functional.Gateway;

/// <summary>A system call that succeeded: when it began and when it ended, as positions in the trace, and what it was about.</summary>
/// <param name="Name">Such as <c>fsync</c>.</param>
/// <param name="Paths">The files or sockets that it names, in order.</param>
/// <param name="Bytes">What it wrote, as far as the trace shows it.</param>
/// <param name="Result">What it returned.</param>
/// <param name="Began">Nothing that stands later in the trace can be the cause of it.</param>
/// <param name="Ended">What begins later can rely on it.</param>
internal sealed record SystemCall(string Name, string[] Paths, byte[] Bytes, long Result, int Began, int Ended);

/// <summary>Reads what <c>strace -f -yy</c> wrote.</summary>
internal static partial class SystemCalls
{
    public const string Traced =
        "trace=write,writev,pwrite64,pwritev,fsync,fdatasync,syncfs,rename,renameat,renameat2,link,linkat,mkdir,mkdirat,sendto,sendmsg";

    public static List<SystemCall> Read(IEnumerable<string> lines)
    {
        var calls = new List<SystemCall>();
        var open = new Dictionary<string, (string Text, int Began)>();
        var at = 0;
        foreach (var line in lines)
        {
            at++;
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space < 0) continue;
            var (thread, text) = (line[..space], line[space..].TrimStart());
            var began = at;
            if (text.EndsWith("<unfinished ...>", StringComparison.Ordinal))
            {
                open[thread] = (text[..^"<unfinished ...>".Length], at);
                continue;
            }
            if (text.StartsWith("<... ", StringComparison.Ordinal))
            {
                if (!open.Remove(thread, out var begun)) continue;
                (text, began) = (begun.Text + text[(text.IndexOf('>', StringComparison.Ordinal) + 1)..], begun.Began);
            }
            if (Call(text, began, at) is { Result: >= 0 } call) calls.Add(call);
        }
        return calls;
    }

    private static SystemCall? Call(string text, int began, int ended)
    {
        var match = Whole().Match(text);
        if (!match.Success) return null;
        var (name, arguments) = (match.Groups[1].Value, match.Groups[2].Value);
        var result = long.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture);
        var strings = Quoted().Matches(arguments).Select(quoted => Unescape(quoted.Groups[1].Value)).ToArray();
        var descriptors = Descriptor().Matches(arguments).Select(item => item.Groups[1].Value).ToArray();
        return name switch
        {
            "write" or "writev" or "pwrite64" or "pwritev" or "sendto" or "sendmsg" =>
                new SystemCall(name, [descriptors.FirstOrDefault("")], strings.FirstOrDefault([]), result, began, ended),
            "fsync" or "fdatasync" or "syncfs" => new SystemCall(name, descriptors, [], result, began, ended),
            _ => new SystemCall(name, [.. strings.Select(Encoding.UTF8.GetString)], [], result, began, ended),
        };
    }

    // strace writes \n and the like, and octal numbers of one to three digits.
    private static byte[] Unescape(string text)
    {
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                bytes.Add((byte)text[i]);
                continue;
            }
            i++;
            if (text[i] is >= '0' and <= '7')
            {
                var value = 0;
                for (var digits = 0; digits < 3 && i < text.Length && text[i] is >= '0' and <= '7'; digits++, i++) value = (value * 8) + (text[i] - '0');
                i--;
                bytes.Add((byte)value);
            }
            else bytes.Add(text[i] switch { 'n' => 10, 'r' => 13, 't' => 9, 'v' => 11, 'f' => 12, var other => (byte)other });
        }
        return [.. bytes];
    }

    [GeneratedRegex(@"^(\w+)\((.*)\)\s+= (-?\d+)")]
    private static partial Regex Whole();

    [GeneratedRegex("\"((?:[^\"\\\\]|\\\\.)*)\"")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\d+<([^>]*(?:->[^>]*)?)>")]
    private static partial Regex Descriptor();
}
