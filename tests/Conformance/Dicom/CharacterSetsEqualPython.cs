using System.Diagnostics;
using System.Globalization;
using System.Text;
using DicomServerless.Dicom;
using DicomServerless.Shared;

namespace DicomServerless.Conformance.Dicom;

/// <summary>D2.20: every character of every set of PS3.3 C.12.1.1.2 is what an independent implementation makes of it.</summary>
public sealed class CharacterSetsEqualPython(ITestOutputHelper output)
{
    [Fact]
    public async Task Every_character_of_every_set_is_decoded_as_by_python()
    {
        if (!Peers.Require(Peers.Python)) return;
        var script = Path.Combine(Repository.Root, "tests/Conformance/Dicom/character_sets.py");
        using var process = Process.Start(new ProcessStartInfo(Peers.Python, [script]) { RedirectStandardOutput = true })!;
        var (count, sets, wrong) = (0, new Dictionary<string, SpecificCharacterSet>(), new List<string>());
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            var columns = line.Split('\t');
            if (!sets.TryGetValue(columns[0], out var set)) sets.Add(columns[0], set = SpecificCharacterSet.Parse(Encoding.ASCII.GetBytes(columns[0])));
            var expected = string.Concat(columns[2].Split('.')
                .Select(point => char.ConvertFromUtf32(int.Parse(point, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture))));
            var actual = set.Decode(Convert.FromHexString(columns[1]), Vr.LT);
            if (actual != expected) wrong.Add($"{line} {string.Join('.', actual.Select(c => $"{(int)c:X}"))}");
            count++;
        }
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        output.WriteLine($"{count} characters of {sets.Count} sets.");
        Assert.True(wrong.Count == 0, $"{wrong.Count} differ:\n{string.Join('\n', wrong.Take(30))}");
        Assert.True(count > 100_000);
    }
}
