import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import software.amazon.event.ruler.Ruler;

/** Reads {"pattern": ..., "events": [...]} from a file and prints one line an event: true where AWS's matcher matches. */
public final class Match {
    private Match() {
    }

    public static void main(String[] args) throws Exception {
        JsonNode input = new ObjectMapper().readTree(Files.readString(Path.of(args[0])));
        String pattern = input.get("pattern").toString();
        for (JsonNode event : input.get("events")) {
            System.out.println(Ruler.matchesRule(event.toString(), pattern));
        }
    }
}
